import os from 'node:os';
import { type BenchContext, compared, informing, type Result } from '../bench';
import { command } from '../control';
import { sum } from '../figures';
import { startTableBench, type RunFigures, type TableBenchStage } from './stage';

/** What one chunk has in flight, `activities/table/chunk-sender.ts`. */
const callsPerChunk = 4;
const warmupRows = 4_000;

/** Rows per second from the start to the end, against a plain script: nobody limits either. */
export async function rows({ setting, log, count }: BenchContext): Promise<Result[]> {
  const [perRound, rounds] = [count('rows'), count('rounds')];
  const stage = await startTableBench(setting, log);
  const quiet = (line: string): void => void (process.env['SYNCLINE_BENCH_LOG'] && log(line));
  const script = await setting.supervisor.spawnNode({ name: 'script', entry: 'bench/table/script.ts', env: stage.env, log: quiet });
  const { maxBatch } = stage.sync.to.operation as { maxBatch: number };
  const scripted = async (): Promise<number> => {
    const figures = (await command(String(script.ready.url), 'run', { batch: maxBatch, calls: stage.sync.chunksAtOnce * callsPerChunk })) as {
      seconds: number;
    };
    return figures.seconds;
  };
  const spent: Record<Side, number[]> = { syncline: [], script: [] };
  const runs: RunFigures[] = [];
  const ours = async (): Promise<number> => {
    const run = await stage.run();
    runs.push(run);
    return run.seconds;
  };
  const sides = { syncline: ours, script: scripted };
  for (const run of Object.values(sides)) {
    await stage.people(warmupRows, 'warm');
    await run();
  }
  runs.length = 0;
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? (['syncline', 'script'] as const) : (['script', 'syncline'] as const)) {
      await stage.people(perRound, `r${round}-`);
      const seconds = await sides[side]();
      await judge(stage, perRound, side);
      spent[side].push(seconds);
      log(`rows: ${side}: ${perRound} in ${seconds.toFixed(2)} s, ${Math.round(perRound / seconds)} rows/s (load ${os.loadavg()[0]?.toFixed(1)})`);
    }
  }
  await script.stop();
  await stage.stop();
  const rate = (side: Side): number => (perRound * rounds) / sum(spent[side]);
  const cpu = Object.keys(runs[0]!.cpu).map((process) =>
    informing(`${perRound} rows: CPU of the ${process} per 1,000 rows`, 'ms', (sum(runs.map((run) => run.cpu[process] ?? NaN)) * 1_000) / (perRound * rounds)),
  );
  return [compared(`${perRound} rows, no limit: against a plain script`, 'rows/s', rate('syncline'), rate('script'), { atLeast: 0.7 }), ...cpu];
}

type Side = 'syncline' | 'script';

/** The vendor's own count: every row is there, once. */
async function judge(stage: TableBenchStage, wanted: number, who: string): Promise<void> {
  const { records } = (await stage.stats()) as { records: { records: number; writes: number } };
  if (records.records !== wanted || records.writes !== wanted)
    throw new Error(`${who}: the vendor has ${records.records} records of ${wanted} after ${records.writes} writes`);
}
