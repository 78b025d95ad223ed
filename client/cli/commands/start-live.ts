import path from 'node:path';
import { createLedger } from '../../../ledger';
import type { Ledger } from '../../../ledger/port';
import { createCodec } from '../../../platform/codec';
import { createLiveScreen } from '../../sandbox/live-screen';
import { forgetRunning, noteRunning, runningSandbox } from '../../sandbox/running';
import { samplesFor } from '../../sandbox/samples';
import { type Sandbox, startSandbox } from '../../sandbox/sandbox';
import { resolvePorts } from '../../sandbox/service-ports';
import { simulatorsFor } from '../../sandbox/simulators';
import { projectRoot, stateFolder } from '../../sandbox/state-folder';
import { allEnded, sendOrdinary, sendSamples } from '../../sandbox/traffic';
import { exitCodes } from '../cli-error';
import { CliError } from '../cli-error';
import type { Answer, CliContext } from '../context';
import { span } from '../output/times';
import { shellWord } from '../output/words';
import type { Terminal } from '../terminal';
import type { StartOptions } from './start';
import { followFunnel } from './start-funnel';
import { stopOnSignal } from './start-signals';
import { portsInUse, startFailed, stepsOn } from './start-steps';
import { addressesText, handSignedWebhook, secretsText } from './start-text';

/** Events that Enter sends. */
const burst = { count: 50, perSecond: 10 };

/** `npm start`: the sandbox, until Ctrl-C. What it stored is there at the next start. */
export async function startLive(context: CliContext, options: StartOptions): Promise<Answer> {
  const { terminal, env } = context;
  const [syncs, tableSyncs] = [context.syncs(), context.tableSyncs()];
  const folder = stateFolder(env);
  refuseSecond(folder);
  const startedAt = Date.now();
  terminal.note(`Starting the Syncline sandbox; its data is in ${relativeTo(folder)}`);
  if (env['SYNCLINE_DATABASE_URL'])
    terminal.note('  SYNCLINE_DATABASE_URL is left alone: without TEMPORAL_ADDRESS a sandbox with a database of its own starts');

  const ports = await resolvePorts(
    simulatorsFor([...syncs, ...tableSyncs]).map(({ vendor }) => vendor),
    env,
  ).catch(portsInUse);
  const screen = createLiveScreen(process.stdout);
  let say = (line: string) => terminal.note(`  ${line}`);
  const stop = stopOnSignal(() => void handle.kill());
  const handle = startSandbox({ syncs, tableSyncs, folder, ports, lasting: true, env, log: (line) => say(line), step: stepsOn(terminal, stop.signal) });
  try {
    const sandbox = await Promise.race([handle.started, stop.requested]);
    if (!sandbox) return stopped();
    noteRunning(folder, sandbox.env);
    if (options.json) terminal.line(JSON.stringify(documentOf(sandbox)));
    else terminal.line(introduction(terminal, context, sandbox, Date.now() - startedAt));
    say = options.json ? say : (line) => screen.print(`  ${line}`);
    const ledger = createLedger({ connectionString: sandbox.databaseUrl, codec: createCodec().bodies });
    try {
      await Promise.all([
        options.json ? stop.requested : followFunnel({ terminal, screen, queries: ledger.queries, signal: stop.signal }),
        traffic({ sandbox, ledger, options, signal: stop.signal, print: (line) => say(line) }),
        stop.requested,
      ]);
    } finally {
      await ledger.close();
    }
    return stopped();
  } catch (error) {
    return startFailed(error);
  } finally {
    terminal.note('\nStopping …');
    forgetRunning(folder);
    await handle.stop();
    stop.release();
  }
}

function refuseSecond(folder: string): void {
  const other = runningSandbox(folder);
  if (!other) return;
  throw new CliError({
    exitCode: exitCodes.usage,
    what: `a sandbox already runs here (process ${other.pid})`,
    where: folder,
    next: 'use it (npx syncline runs), or stop it with Ctrl-C; SYNCLINE_STATE_DIR and other ports make room for a second one',
  });
}

function relativeTo(folder: string): string {
  const relative = path.relative(projectRoot(), folder);
  return relative.startsWith('..') ? folder : `${relative}/`;
}

function introduction(terminal: Terminal, context: CliContext, sandbox: Sandbox, tookMs: number): string {
  const { bold } = terminal.colours;
  return [
    '',
    bold(`The sandbox is up (${span(tookMs)})`),
    addressesText(terminal, sandbox),
    '',
    bold('Its fixed secrets (public: real mode refuses them)'),
    secretsText(terminal, context.syncs(), context.tableSyncs()),
    '',
    bold('Sign a webhook by hand'),
    handSignedWebhook(sandbox.gatewayUrl),
    '',
    bold('Try, in another terminal'),
    '  npx syncline runs                     what became of the events, by outcome and cause',
    '  npx syncline trace alan@example.com   one record, from the door to the vendor',
    `  kill -9 ${String(sandbox.workerPid()).padEnd(30)}the worker: it comes back, and nothing is lost`,
    `${process.stdin.isTTY ? `And here: Enter sends ${burst.count} more events, ` : 'Here: '}Ctrl-C stops everything; the data stays.`,
    '',
  ].join('\n');
}

interface TrafficOptions {
  sandbox: Sandbox;
  ledger: Ledger;
  options: StartOptions;
  signal: AbortSignal;
  print: (line: string) => void;
}

/** The samples, then what the user asks for. Ends quietly with the signal. */
async function traffic({ sandbox, ledger, options, signal, print }: TrafficOptions): Promise<void> {
  const { gatewayUrl } = sandbox;
  const tag = Math.floor(Date.now() / 1000).toString(36);
  let bursts = 0;
  const onEnter = () => void sendOrdinary(gatewayUrl, { tag: `${tag}-${++bursts}`, ...burst, signal });
  if (process.stdin.isTTY && !options.json) {
    process.stdin.on('data', onEnter);
    signal.addEventListener('abort', () => process.stdin.off('data', onEnter).pause());
  }
  try {
    if (options.samples !== false) {
      const queries = ledger.queries;
      const sent = await sendSamples(samplesFor({ tag, now: Date.now() }), { sandbox, queries, signal });
      await allEnded(sent, { queries, signal });
      const rejected = sent.find(({ sample }) => sample.outcome === 'rejected')?.answer.runs[0];
      if (rejected) print(`The samples have ended. The one HubSpot refused: npx syncline trace ${shellWord(rejected.workflowId)}`);
    }
    const { rate } = options;
    if (rate) await sendOrdinary(gatewayUrl, { tag, perSecond: rate, count: Infinity, signal });
  } catch (error) {
    if (!signal.aborted) print(`The samples could not all be sent: ${(error as Error).message}`);
  }
}

function documentOf(sandbox: Sandbox): object {
  const { workerPid: _of, simulators, warehouses, ...facts } = sandbox;
  const warehouseAddresses = Object.fromEntries(warehouses.map(({ name, shown }) => [name, shown]));
  return {
    ready: true,
    ...facts,
    warehouses: warehouseAddresses,
    simulators: Object.fromEntries([...simulators].map(([vendor, { url }]) => [vendor, url])),
    workerPid: sandbox.workerPid(),
  };
}

function stopped(): Answer {
  return { exitCode: exitCodes.ok, document: undefined, print: () => undefined };
}
