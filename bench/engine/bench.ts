import { Connection } from '@temporalio/client';
import os from 'node:os';
import { type Bench, type BenchContext, compared, informing, type Result } from '../bench';
import { quantile, shown, sum } from '../figures';
import type { Usage } from '../usage';
import { burst, type BurstFigures, historyOf, paced, type PacedFigures, type Watch } from './rounds';
import { bareSide, type OurSide, ourSide, type Side, type Statements } from './sides';

/** `recordSync`, inbox and ledger included, against what people write first: a workflow with one activity, one HTTP call. */
export const engine: Bench = {
  name: 'engine',
  summary: 'recordSync against a bare workflow with one activity: runs per second, event to landed',
  options: {
    events: { default: '600', help: 'events of a burst' },
    rounds: { default: '2', help: 'rounds of each side, alternating' },
    rate: { default: '20', help: 'events per second of a steady round' },
    seconds: { default: '30', help: 'length of a steady round' },
    slice: { default: '10', help: 'seconds of a steady round at a time, so that noise from outside meets both sides' },
    servers: { default: 'memory,file', help: 'where the Temporal server keeps its data' },
    warmup: { default: '150', help: 'events before anything counts' },
  },
  async run(context) {
    const results: Result[] = [];
    for (const keep of context.option('servers').split(',')) {
      if (keep !== 'memory' && keep !== 'file') throw new Error(`--servers is "${keep}"; expected memory, file or both`);
      results.push(...(await onServer(context, keep)));
    }
    return results;
  },
};

interface Collected {
  bursts: BurstFigures[];
  steady: PacedFigures[];
}

async function onServer({ setting, log, option: _option, count }: BenchContext, keep: 'memory' | 'file'): Promise<Result[]> {
  const simulator = await setting.simulator();
  const postgres = await setting.postgres();
  const temporal = await setting.temporal(keep, ['bare', 'syncline']);
  const servers = { setting, temporalAddress: temporal.address, hubspotUrl: simulator.url, log };
  const bare = await bareSide(servers);
  const ours = await ourSide(servers, `engine_${keep}`);
  const connection = await Connection.connect({ address: temporal.address });
  const watch: Watch = { connection, hubspotUrl: simulator.url, pids: { server: temporal.pid, database: postgres.pid, simulator: simulator.pid } };
  const got = new Map<Side['name'], Collected>([bare, ours].map(({ name }) => [name, { bursts: [], steady: [] }]));
  const order = (round: number): Side[] => (round % 2 === 0 ? [bare, ours] : [ours, bare]);
  const say = (line: string): void => log(`${keep}: ${line} (load ${os.loadavg()[0]?.toFixed(1)})`);

  for (const side of [bare, ours]) await burst(side, watch, `warm-${side.name}`, count('warmup'));
  say('warm');
  const before = await ours.statements();
  for (let round = 0; round < count('rounds'); round++) {
    for (const side of order(round)) {
      const figures = await burst(side, watch, `burst${round}`, count('events'));
      got.get(side.name)?.bursts.push(figures);
      say(`${side.name.padEnd(8)} burst of ${figures.count}: ${(figures.count / figures.seconds).toFixed(1)} runs/s, handed in after ${figures.handInSeconds.toFixed(1)} s, ${figures.calls} calls; ${cpuWords(figures)}`);
    }
  }
  const between = await ours.statements();
  const slices = Math.ceil((count('rounds') * count('seconds')) / count('slice'));
  for (let slice = 0; slice < slices; slice++) {
    for (const side of order(slice)) {
      const figures = await paced(side, watch, `steady${slice}`, count('rate'), count('slice'));
      got.get(side.name)?.steady.push(figures);
      say(`${side.name.padEnd(8)} ${count('rate')}/s: landed ${shown(figures.latencies)}; closed ${shown(figures.toClose)}`);
    }
  }
  const after = await ours.statements();

  const results = results_(keep, got);
  if (count('rounds') > 0) {
    for (const side of [bare, ours]) {
      const history = await historyOf(side, watch, 'burst0');
      log(`${keep}: ${side.name} history: ${history.types.join(', ')}`);
      if (side === bare) results.push(informing(`${keep}: history events per run, bare`, 'events', history.events), informing(`${keep}: history size per run, bare`, 'bytes', history.bytes));
      else results.push(informing(`${keep}: history events per run`, 'events', history.events), informing(`${keep}: history size per run`, 'bytes', history.bytes));
    }
    const events = count('events') * count('rounds');
    log(`${keep}: statements of the worker in bursts: ${statementWords(before, between, events)}`);
    const steadyEvents = count('rate') * count('slice') * slices;
    if (steadyEvents > 0) log(`${keep}: statements of the worker at ${count('rate')}/s: ${statementWords(between, after, steadyEvents)}`);
    results.push(informing(`${keep}: database statements of the worker per event, burst`, 'statements', statementsIn(before, between) / events));
    if (steadyEvents > 0) results.push(informing(`${keep}: database statements of the worker per event, ${count('rate')}/s`, 'statements', statementsIn(between, after) / steadyEvents));
  }
  await end(setting, [bare, ours], ours, connection, temporal);
  return results;
}

/** The processes of one server must not cost the next one CPU. */
async function end(_setting: BenchContext['setting'], sides: Side[], ours: OurSide, connection: Connection, temporal: { stop(): Promise<void> }): Promise<void> {
  await ours.ledger.close();
  for (const side of sides) await side.process.stop();
  await connection.close();
  await temporal.stop();
}

function results_(keep: string, got: Map<Side['name'], Collected>): Result[] {
  const bare = got.get('bare') as Collected;
  const ours = got.get('syncline') as Collected;
  const results: Result[] = [];
  if (ours.bursts.length > 0) {
    results.push(compared(`${keep}: burst`, 'runs/s', perSecond(ours.bursts), perSecond(bare.bursts), { atLeast: 1 }));
    for (const name of ['server', 'worker', 'database', 'simulator', 'bench']) {
      results.push(compared(`${keep}: CPU per run, burst: ${name}`, 'ms', cpuPerRun(ours.bursts, [name]), cpuPerRun(bare.bursts, [name])));
    }
    const all = ['server', 'worker', 'database', 'simulator', 'bench'];
    results.push(compared(`${keep}: CPU per run, burst: all`, 'ms', cpuPerRun(ours.bursts, all), cpuPerRun(bare.bursts, all)));
    results.push(compared(`${keep}: HTTP calls per run, burst`, 'calls', callsPerRun(ours.bursts), callsPerRun(bare.bursts)));
  }
  if (ours.steady.length > 0) {
    const [mine, theirs] = [ours, bare].map(({ steady }) => steady.flatMap(({ latencies }) => latencies)) as [number[], number[]];
    results.push(compared(`${keep}: steady, event to landed, p50`, 'ms', quantile(mine, 0.5), quantile(theirs, 0.5)));
    results.push(compared(`${keep}: steady, event to landed, p99`, 'ms', quantile(mine, 0.99), quantile(theirs, 0.99), { atMost: 1 }));
    const [myEnd, theirEnd] = [ours, bare].map(({ steady }) => steady.flatMap(({ toClose }) => toClose)) as [number[], number[]];
    results.push(compared(`${keep}: steady, event to closed run, p50`, 'ms', quantile(myEnd, 0.5), quantile(theirEnd, 0.5)));
    results.push(compared(`${keep}: steady, event to closed run, p99`, 'ms', quantile(myEnd, 0.99), quantile(theirEnd, 0.99)));
  }
  return results;
}

function perSecond(bursts: BurstFigures[]): number {
  return sum(bursts.map(({ count }) => count)) / sum(bursts.map(({ seconds }) => seconds));
}

function callsPerRun(bursts: BurstFigures[]): number {
  return sum(bursts.map(({ calls }) => calls)) / sum(bursts.map(({ count }) => count));
}

function cpuPerRun(bursts: BurstFigures[], names: readonly string[]): number {
  return sum(bursts.flatMap(({ cpu }) => names.map((name) => cpu[name] ?? 0))) / sum(bursts.map(({ count }) => count));
}

function cpuWords({ cpu, count }: BurstFigures): string {
  const parts = Object.entries(cpu as Usage).map(([name, ms]) => `${name} ${(ms / count).toFixed(1)}`);
  return `CPU ms per run: ${parts.join(', ')}`;
}

function statementsIn(before: Statements, after: Statements): number {
  return sum(Object.entries(after).map(([name, { count }]) => count - (before[name]?.count ?? 0)));
}

function statementWords(before: Statements, after: Statements, events: number): string {
  return Object.entries(after)
    .map(([name, { count, ms }]) => ({ name, count: count - (before[name]?.count ?? 0), ms: ms - (before[name]?.ms ?? 0) }))
    .filter(({ count }) => count > 0)
    .map(({ name, count, ms }) => `${name} ${(count / events).toFixed(2)}/event, ${(ms / count).toFixed(1)} ms each`)
    .join('; ');
}
