import os from 'node:os';
import { type BenchContext, compared, informing, type Result } from '../bench';
import { command } from '../control';
import { sum } from '../figures';
import { startDlt } from './dlt';
import { startTableBench, type RunFigures, type TableBenchStage } from './stage';

/** What one chunk has in flight, `activities/table/chunk-sender.ts`. */
const callsPerChunk = 4;
/** Enough that everything is compiled. */
const warmupRows = 20_000;

/** Somebody who brings all rows of the source to the vendor; resolves to the seconds it took. */
type Sides = Record<string, () => Promise<number>>;

/** Rows per second from the start to the end, against a plain script and dlt: nobody limits anybody. */
export async function rows({ setting, log, count }: BenchContext): Promise<Result[]> {
  const [perRound, rounds] = [count('rows'), count('rounds')];
  const stage = await startTableBench(setting, log);
  const quiet = (line: string): void => void (process.env['SYNCLINE_BENCH_LOG'] && log(line));
  const script = await setting.supervisor.spawnNode({ name: 'script', entry: 'bench/table/script.ts', env: stage.env, log: quiet });
  const { maxBatch } = stage.sync.to.operation as { maxBatch: number };
  const same = { batch: maxBatch, calls: stage.sync.chunksAtOnce * callsPerChunk };
  const dlt = await startDlt(stage.env, same);
  if ('missing' in dlt) log(`rows: dlt is left out: ${dlt.missing}`);
  const runs: RunFigures[] = [];
  const sides: Sides = {
    async syncline() {
      const run = await stage.run();
      runs.push(run);
      return run.seconds;
    },
    script: async () => ((await command(String(script.ready.url), 'run', same)) as { seconds: number }).seconds,
    ...('missing' in dlt ? {} : { dlt: () => dlt.run() }),
  };
  for (const run of Object.values(sides)) {
    await stage.people(warmupRows, 'warm');
    await run();
  }
  runs.length = 0;
  const spent = await alternate(sides, rounds, stage, perRound, log);
  if (!('missing' in dlt)) await dlt.stop();
  await script.stop();
  await stage.stop();
  const rate = (side: string): number => (perRound * rounds) / sum(spent[side] ?? []);
  const cpuOf = (name: string): number => (sum(runs.map((run) => run.cpu[name] ?? NaN)) * 1_000) / (perRound * rounds);
  const what = `${perRound} rows, no limit`;
  return [
    compared(`${what}: against a plain script`, 'rows/s', rate('syncline'), rate('script'), { atLeast: 0.7 }),
    ...('missing' in dlt ? [] : [compared(`${what}: against dlt ${dlt.version}`, 'rows/s', rate('syncline'), rate('dlt'), { atLeast: 1.2 })]),
    ...Object.keys(runs[0]!.cpu).map((name) => informing(`${what}: CPU of the ${name} per 1,000 rows`, 'ms', cpuOf(name))),
  ];
}

/** A B C, C B A, …: noise from outside meets all of them. */
async function alternate(sides: Sides, rounds: number, stage: TableBenchStage, perRound: number, log: (line: string) => void) {
  const spent: Record<string, number[]> = {};
  for (let round = 0; round < rounds; round++) {
    const order = Object.entries(sides);
    for (const [name, run] of round % 2 === 0 ? order : order.reverse()) {
      await stage.people(perRound, `r${round}-`);
      const seconds = await run();
      await judge(stage, perRound, name);
      spent[name] = [...(spent[name] ?? []), seconds];
      log(`rows: ${name}: ${perRound} in ${seconds.toFixed(2)} s, ${Math.round(perRound / seconds)} rows/s (load ${os.loadavg()[0]?.toFixed(1)})`);
    }
  }
  return spent;
}

/** The vendor's own count: every row is there, written once. */
async function judge(stage: TableBenchStage, wanted: number, who: string): Promise<void> {
  const { records } = (await stage.stats()) as { records: { records: number; writes: number } };
  if (records.records !== wanted || records.writes !== wanted)
    throw new Error(`${who}: the vendor has ${records.records} records of ${wanted} after ${records.writes} writes`);
}
