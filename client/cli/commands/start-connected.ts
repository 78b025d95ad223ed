import path from 'node:path';
import { keepRunning } from '../../sandbox/keep-running';
import { createLiveScreen } from '../../sandbox/live-screen';
import { createProcessLogs } from '../../sandbox/process-log';
import { createSupervisor, type NodeProcess } from '../../sandbox/processes';
import { stateFolder } from '../../sandbox/state-folder';
import { CliError, exitCodes } from '../cli-error';
import type { Answer, CliContext } from '../context';
import type { Check } from '../doctor/check';
import { databaseChecks } from '../doctor/database-checks';
import { localChecks } from '../doctor/local-checks';
import { temporalChecks } from '../doctor/temporal-checks';
import { wrap } from '../output/table';
import { counted } from '../output/words';
import type { Terminal } from '../terminal';
import type { StartOptions } from './start';
import { followFunnel } from './start-funnel';
import { stopOnSignal } from './start-signals';
import { startFailed, stepsOn } from './start-steps';

/**
 * `npm start` with `TEMPORAL_ADDRESS` set: gateway and worker against servers of the user's. Looks whether everything is
 * there, changes nothing, sends no samples. (The ledger's tables are made by gateway and worker themselves, as ever.)
 */
export async function startConnected(context: CliContext, options: StartOptions): Promise<Answer> {
  const { terminal, env } = context;
  terminal.note(`Starting gateway and worker against Temporal at ${env['TEMPORAL_ADDRESS']}; no sandbox, no samples`);
  await check(context);

  const logs = createProcessLogs(path.join(stateFolder(env), 'logs'), (line) => say(line));
  const screen = createLiveScreen(process.stdout);
  let say = (line: string) => terminal.note(`  ${line}`);
  const supervisor = createSupervisor();
  const stop = stopOnSignal(() => void supervisor.killAll());
  const step = stepsOn(terminal, stop.signal);
  const node = (name: string, entry: string) =>
    step(name, () =>
      keepRunning<NodeProcess>(() => supervisor.spawnNode({ name, entry, log: logs.of(name) }), { log: (line) => say(line), closing: stop.signal }),
    );
  try {
    const up = Promise.all([node('gateway', 'client/gateway/main.ts'), node('worker', 'workers/main.ts')]);
    up.catch(() => undefined); // after Ctrl-C nobody waits for it
    const ready = await Promise.race([up, stop.requested]);
    if (!ready) return stopped();
    const [gateway, worker] = ready.map((kept) => String(kept.current().ready['url']));
    const addresses = { gatewayUrl: gateway, metricsUrl: worker, logFolder: logs.folder };
    if (options.json) terminal.line(JSON.stringify({ ready: true, ...addresses }));
    else terminal.line(`\n  gateway  ${gateway}  (/healthz, /readyz, /metrics)\n  metrics  ${worker}\n  logs     ${logs.folder}\n\n  Ctrl-C stops both.\n`);
    say = options.json ? say : (line) => screen.print(`  ${line}`);
    const ledger = await context.ledger();
    await Promise.all([stop.requested, options.json ? undefined : followFunnel({ terminal, screen, queries: ledger.queries, signal: stop.signal })]);
    return stopped();
  } catch (error) {
    return startFailed(error);
  } finally {
    terminal.note('\nStopping …');
    await supervisor.stopAll();
    await logs.close();
    stop.release();
  }
}

/** These need a worker or gateway that has run before. */
const laterOn = (check: Check): boolean => check.name === 'schema' || check.name === 'inbox' || check.name.startsWith('queue ');

async function check(context: CliContext): Promise<void> {
  const { terminal, env } = context;
  const [syncs, tableSyncs] = [context.syncs(), context.tableSyncs()];
  const [database, temporal] = await Promise.all([databaseChecks(env), temporalChecks(context, syncs, tableSyncs)]);
  const checks = [...localChecks(env, syncs, tableSyncs), ...database, ...temporal].filter((one) => !laterOn(one));
  const failed = checks.filter(({ state }) => state === 'fail');
  for (const one of checks.filter(({ state }) => state === 'fail' || state === 'warn')) showCheck(terminal, one);
  if (failed.length === 0)
    return terminal.note(`  ${terminal.colours.green('✓')} ${counted(checks.length, 'check')}: namespace, search attributes, database, secrets`);
  const unreachable = failed.some(({ name }) => name === 'connection');
  throw new CliError({
    exitCode: unreachable ? exitCodes.unreachable : exitCodes.badNews,
    what: `${counted(failed.length, 'check')} failed; nothing was started, nothing was changed`,
    next: 'mend what is named above, or unset TEMPORAL_ADDRESS for a sandbox with everything in it',
  });
}

function showCheck(terminal: Terminal, { group, name, state, found, fix }: Check): void {
  const { colours, columns } = terminal;
  terminal.note(`  ${state === 'fail' ? colours.red('✗') : colours.yellow('!')} ${group}, ${name}: ${found}`);
  for (const line of fix?.split('\n').flatMap((one) => wrap(one, columns - 6)) ?? []) terminal.note(`      ${line}`);
}

function stopped(): Answer {
  return { exitCode: exitCodes.ok, document: undefined, print: () => undefined };
}
