import os from 'node:os';
import { fingerprint } from '../../warehouse/sql/dialect';
import { postgresDialect } from '../../warehouse/postgres/dialect';
import { type BenchContext, compared, informing, type Result } from '../bench';
import { quantile } from '../figures';
import { peakMemory } from '../../test/support/peak-memory';
import { makeKnown } from './known';
import { startTableBench } from './stage';

/** A run that finds nothing to do, from its start to its result, against the least that reads the same rows: a count with the same hash. */
export async function diff({ setting, log, count }: BenchContext): Promise<Result[]> {
  const [rows, rounds] = [count('diff-rows'), count('rounds')];
  const stage = await startTableBench(setting, log);
  await stage.people(rows);
  await makeKnown(stage.sync, stage.env['SYNCLINE_WAREHOUSE_MAIN_URL']!, stage.sql);
  const bare = `select count(${hashOf()}) from public.people s`;
  const times = { ours: [] as number[], bare: [] as number[] };
  for (let round = 0; round <= rounds; round++) {
    const { seconds, result } = await stage.run();
    const { planned, unchanged } = result.counts;
    if (planned !== 0 || unchanged !== rows) throw new Error(`${unchanged} of ${rows} rows are unchanged, ${planned} planned`);
    const startedAt = performance.now();
    await stage.sql(bare);
    const bareSeconds = (performance.now() - startedAt) / 1_000;
    log(
      `diff: ${rows} rows in ${seconds.toFixed(2)} s, bare ${bareSeconds.toFixed(2)} s (load ${os.loadavg()[0]?.toFixed(1)})${round === 0 ? ', to warm up' : ''}`,
    );
    if (round === 0) continue;
    times.ours.push(seconds);
    times.bare.push(bareSeconds);
  }
  const peak = peakMemory(stage.worker.pid);
  await stage.stop();
  return [
    compared(`${rows} rows, none changed: a run, against a bare count with the same hash`, 's', quantile(times.ours, 0.5), quantile(times.bare, 0.5)),
    informing(`${rows} rows, none changed: most memory of the worker`, 'MiB', peak),
  ];
}

/** The product's own expression; every column of the source is text or a number here. */
function hashOf(): string {
  return fingerprint(
    postgresDialect,
    ['id', 'email', 'name', 'visits'].map((name) => ({ name, type: 'text' })),
    1,
  );
}
