import { rmSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createLedger, type Queries } from '../../../ledger';
import { createCodec } from '../../../platform/codec';
import { funnelView } from '../../sandbox/funnel';
import { samplesFor } from '../../sandbox/samples';
import { type Sandbox, startSandbox } from '../../sandbox/sandbox';
import { resolvePorts } from '../../sandbox/service-ports';
import { simulatorsFor } from '../../sandbox/simulators';
import { allEnded, sendSamples, type SentSample } from '../../sandbox/traffic';
import { judge, type Verdict } from '../../sandbox/verdict';
import { exitCodes } from '../cli-error';
import type { Answer, CliContext } from '../context';
import type { Terminal } from '../terminal';
import { onceText } from './start-once-text';
import { stopOnSignal } from './start-signals';
import { startFailed, stepsOn } from './start-steps';

/** Faults armed beside those of the samples, as a JSON list for the HubSpot simulator: how its own test plants an error. */
const extraFaultsVariable = 'SYNCLINE_SANDBOX_EXTRA_FAULTS';

/** `npm start -- --once`: the samples to their end, and the count. Nothing of it stays. */
export async function startOnce(context: CliContext, options: { json?: boolean }): Promise<Answer> {
  const { terminal, env } = context;
  const [syncs, tableSyncs] = [context.syncs(), context.tableSyncs()];
  const startedAt = Date.now();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'syncline-once-'));
  if (process.getuid?.() === 0) await chmod(folder, 0o755); // PostgreSQL then runs as another user, who must get in
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', removeFolder);

  terminal.note('Syncline, once: fresh state, the samples to their end');
  const ports = await resolvePorts(
    simulatorsFor([...syncs, ...tableSyncs]).map(({ vendor }) => vendor),
    env,
    true,
  );
  const stop = stopOnSignal(() => void handle.kill());
  const handle = startSandbox({
    syncs,
    tableSyncs,
    folder,
    ports,
    lasting: false,
    env,
    log: (line) => terminal.note(`  ${line}`),
    step: stepsOn(terminal, stop.signal),
  });
  try {
    const work = handle.started.then((sandbox) => runSamples(sandbox, env, stop.signal));
    const verdict = await Promise.race([work, stop.requested]);
    if (!verdict) return interrupted(terminal);
    const facts = { verdict, seconds: (Date.now() - startedAt) / 1000 };
    if (options.json) terminal.line(JSON.stringify(documentOf(facts)));
    return {
      exitCode: verdict.verdict.ok ? exitCodes.ok : exitCodes.badNews,
      document: undefined, // printed above, on one line
      print: (to) => to.line(onceText(to, { ...verdict, seconds: facts.seconds })),
    };
  } catch (error) {
    return startFailed(error);
  } finally {
    await handle.stop();
    stop.release();
    await rm(folder, { recursive: true, force: true });
    process.off('exit', removeFolder);
  }
}

/** What a finished round leaves to be told. */
export interface Round {
  verdict: Verdict;
  funnel: ReturnType<typeof funnelView>;
}

async function runSamples(sandbox: Sandbox, env: CliContext['env'], signal: AbortSignal): Promise<Round> {
  const ledger = createLedger({ connectionString: sandbox.databaseUrl, codec: createCodec().bodies });
  try {
    const hubspot = sandbox.simulators.get('hubspot');
    const planted = env[extraFaultsVariable];
    if (planted) await hubspot?.arm(JSON.parse(planted) as object[]);
    const { queries } = ledger;
    const sent = await sendSamples(samplesFor({ tag: 'once', now: Date.now() }), { sandbox, queries, signal });
    await allEnded(sent, { queries, signal });
    await doorCounted(sent, queries);
    const [runs, funnels, door, records] = await Promise.all([queries.runs({ limit: 10_000 }), queries.funnel(), queries.door(), hubspot?.records() ?? []]);
    return { verdict: judge({ sent, runs, funnels, door, records }), funnel: funnelView(funnels, door) };
  } finally {
    await ledger.close();
  }
}

const doorTimeoutMs = 5_000;

/** Refusals are gathered before they are counted, so that a flood of them costs little: waits until these are. */
async function doorCounted(sent: readonly SentSample[], queries: Pick<Queries, 'door'>): Promise<void> {
  const requests = sent.reduce((sum, { answer }) => sum + answer.tries, 0);
  const expected = requests - sent.filter(({ answer }) => answer.runs.length > 0).length;
  const deadline = Date.now() + doorTimeoutMs;
  while ((await queries.door()).reduce((sum, { count }) => sum + count, 0) < expected && Date.now() < deadline) await delay(100);
}

function documentOf({ verdict: { verdict, funnel }, seconds }: { verdict: Round; seconds: number }): object {
  return { ...verdict, funnel, seconds };
}

function interrupted(terminal: Terminal): Answer {
  terminal.note('stopped before the samples had ended');
  return { exitCode: exitCodes.badNews, document: undefined, print: () => undefined };
}
