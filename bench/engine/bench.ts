import { Connection } from '@temporalio/client';
import os from 'node:os';
import { type Bench, type BenchContext, UsageError, compared, informing, type Result } from '../bench';
import { quantile, shown, sum } from '../figures';
import { burst, type BurstFigures, type History, historyOf, paced, type PacedFigures, type Watch } from './rounds';
import { bareSide, ourSide, type Side, type Statements, throughGateway } from './sides';

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
    gateway: { default: 'yes', help: 'bursts through the gateway as well: yes or no' },
    warmup: { default: '150', help: 'events before anything counts' },
  },
  async run(context) {
    const results: Result[] = [];
    for (const keep of context.option('servers').split(',')) {
      if (keep !== 'memory' && keep !== 'file') throw new UsageError(`--servers is "${keep}"; expected memory, file or both`);
      results.push(...(await onServer(context, keep)));
    }
    return results;
  },
};

/** Everything measured on one server. */
interface Measured {
  bursts: Map<Side, BurstFigures[]>;
  steady: Map<Side, PacedFigures[]>;
  histories: Map<Side, History>;
  /** The worker's, before the bursts, after them, after the steady rounds. */
  statements: [Statements, Statements, Statements];
}

async function onServer(context: BenchContext, keep: 'memory' | 'file'): Promise<Result[]> {
  const { setting, log } = context;
  const simulator = await setting.simulator();
  const postgres = await setting.postgres();
  const temporal = await setting.temporal(keep, ['bare', 'syncline']);
  const servers = { setting, temporalAddress: temporal.address, hubspotUrl: simulator.url, log };
  const bare = await bareSide(servers);
  const ours = await ourSide(servers, `engine_${keep}`);
  const gateway = context.option('gateway') === 'yes' ? await throughGateway(servers, ours) : undefined;
  const connection = await Connection.connect({ address: temporal.address });
  const watch: Watch = { connection, hubspotUrl: simulator.url, pids: { server: temporal.pid, database: postgres.pid, simulator: simulator.pid } };
  const say = (line: string): void => log(`${keep}: ${line} (load ${os.loadavg()[0]?.toFixed(1)})`);

  const measured: Measured = { bursts: new Map(), steady: new Map(), histories: new Map(), statements: [{}, {}, {}] };
  const sides = [bare, ours, ...(gateway ? [gateway] : [])];
  for (const side of sides) await burst(side, watch, `warm-${side.word}`, context.count('warmup'));
  say('warm');
  measured.statements[0] = await ours.statements();
  await bursts(context, [bare, ours], watch, measured, say);
  measured.statements[1] = await ours.statements();
  await steadyRounds(context, [bare, ours], watch, measured, say);
  measured.statements[2] = await ours.statements();
  if (gateway) await bursts(context, [bare, gateway], watch, measured, say, 'door');
  for (const side of [bare, ours]) {
    const history = await historyOf(side, watch, 'burst0');
    measured.histories.set(side, history);
    log(`${keep}: ${side.name} history: ${history.types.join(', ')}`);
  }

  // The processes of one server must not cost the next one CPU.
  await ours.ledger.close();
  for (const side of sides.reverse()) await side.process.stop();
  await simulator.stop();
  await connection.close();
  await temporal.stop();
  return [
    ...burstResults(keep, measured, bare, ours, gateway),
    ...steadyResults(keep, measured, bare, ours),
    ...costResults(context, keep, measured, bare, ours),
  ];
}

/** A B, B A, A B … */
function alternating([first, second]: [Side, Side], round: number): [Side, Side] {
  return round % 2 === 0 ? [first, second] : [second, first];
}

async function bursts(
  { count }: BenchContext,
  pair: [Side, Side],
  watch: Watch,
  { bursts: into }: Measured,
  say: (line: string) => void,
  prefix = 'burst',
): Promise<void> {
  for (let round = 0; round < count('rounds'); round++) {
    for (const side of alternating(pair, round)) {
      const figures = await burst(side, watch, `${prefix}${round}`, count('events'));
      into.set(side, [...(into.get(side) ?? []), figures]);
      const cpu = Object.entries(figures.cpu).map(([name, ms]) => `${name} ${(ms / figures.count).toFixed(1)}`);
      const handedIn = `handed in after ${figures.handInSeconds.toFixed(1)} s`;
      say(
        `${side.name}: burst of ${figures.count}: ${(figures.count / figures.seconds).toFixed(1)} runs/s, ${handedIn}; ${figures.calls} calls; CPU ms per run: ${cpu.join(', ')}`,
      );
    }
  }
}

async function steadyRounds({ count }: BenchContext, pair: [Side, Side], watch: Watch, { steady: into }: Measured, say: (line: string) => void): Promise<void> {
  const slices = Math.ceil((count('rounds') * count('seconds')) / count('slice'));
  for (let slice = 0; slice < slices; slice++) {
    for (const side of alternating(pair, slice)) {
      const figures = await paced(side, watch, `steady${slice}`, count('rate'), count('slice'));
      into.set(side, [...(into.get(side) ?? []), figures]);
      say(`${side.name}: ${count('rate')}/s: landed ${shown(figures.latencies)}; closed ${shown(figures.toClose)}`);
    }
  }
}

function burstResults(keep: string, { bursts: all }: Measured, bare: Side, ours: Side, gateway: Side | undefined): Result[] {
  const [theirs, mine] = [all.get(bare) ?? [], all.get(ours) ?? []];
  if (mine.length === 0) return [];
  const parts = ['server', 'worker', 'database', 'simulator'];
  const results = [
    compared(`${keep}: burst`, 'runs/s', perSecond(mine), perSecond(theirs), { atLeast: 1 }),
    ...(gateway ? [compared(`${keep}: burst through the gateway`, 'runs/s', perSecond(all.get(gateway) ?? []), perSecond(theirs))] : []),
    ...parts.map((part) => compared(`${keep}: burst, CPU per run: ${part}`, 'ms', cpuPerRun(mine, [part]), cpuPerRun(theirs, [part]))),
    compared(`${keep}: burst, CPU per run: all of these`, 'ms', cpuPerRun(mine, parts), cpuPerRun(theirs, parts)),
  ];
  const calls = (bursts: BurstFigures[]): number => sum(bursts.map((figures) => figures.calls)) / runs(bursts);
  return [...results, compared(`${keep}: burst, HTTP calls per run`, 'calls', calls(mine), calls(theirs))];
}

function steadyResults(keep: string, { steady }: Measured, bare: Side, ours: Side): Result[] {
  const [theirs, mine] = [steady.get(bare) ?? [], steady.get(ours) ?? []];
  if (mine.length === 0) return [];
  const pair = (pick: (figures: PacedFigures) => number[], share: number): [number, number] => [
    quantile(mine.flatMap(pick), share),
    quantile(theirs.flatMap(pick), share),
  ];
  return [
    compared(`${keep}: steady, event to landed, p50`, 'ms', ...pair(({ latencies }) => latencies, 0.5)),
    compared(`${keep}: steady, event to landed, p99`, 'ms', ...pair(({ latencies }) => latencies, 0.99), { atMost: 1 }),
    compared(`${keep}: steady, event to closed run, p50`, 'ms', ...pair(({ toClose }) => toClose, 0.5)),
    compared(`${keep}: steady, event to closed run, p99`, 'ms', ...pair(({ toClose }) => toClose, 0.99)),
  ];
}

function costResults({ count, log }: BenchContext, keep: string, { bursts: all, steady, histories, statements }: Measured, bare: Side, ours: Side): Result[] {
  const [before, between, after] = statements;
  const inBursts = runs(all.get(ours) ?? []);
  const inSteady = sum((steady.get(ours) ?? []).map(({ latencies }) => latencies.length));
  const results: Result[] = [];
  const [mine, theirs] = [histories.get(ours), histories.get(bare)];
  if (mine && theirs) {
    results.push(
      compared(`${keep}: history per run`, 'events', mine.events, theirs.events),
      compared(`${keep}: history per run, size`, 'bytes', mine.bytes, theirs.bytes),
    );
  }
  for (const [when, from, to, events] of [
    ['burst', before, between, inBursts],
    [`${count('rate')}/s`, between, after, inSteady],
  ] as const) {
    if (events === 0) continue;
    log(`${keep}: the worker's statements, ${when}: ${statementWords(from, to, events)}`);
    results.push(informing(`${keep}: the worker's database statements per event, ${when}`, 'statements', statementsIn(from, to) / events));
  }
  return results;
}

function runs(bursts: readonly BurstFigures[]): number {
  return sum(bursts.map(({ count }) => count));
}

function perSecond(bursts: readonly BurstFigures[]): number {
  return runs(bursts) / sum(bursts.map(({ seconds }) => seconds));
}

function cpuPerRun(bursts: readonly BurstFigures[], parts: readonly string[]): number {
  return sum(bursts.flatMap(({ cpu }) => parts.map((part) => cpu[part] ?? 0))) / runs(bursts);
}

function statementsIn(before: Statements, after: Statements): number {
  return sum(Object.entries(after).map(([name, { count }]) => count - (before[name]?.count ?? 0)));
}

function statementWords(before: Statements, after: Statements, events: number): string {
  return Object.entries(after)
    .map(([name, { count, ms }]) => ({ name, count: count - (before[name]?.count ?? 0), ms: ms - (before[name]?.ms ?? 0) }))
    .filter(({ count }) => count > 0)
    .map(({ name, count, ms }) => `${name} ${(count / events).toFixed(2)} per event, ${(ms / count).toFixed(1)} ms each`)
    .join('; ');
}
