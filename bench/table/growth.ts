import os from 'node:os';
import { type BenchContext, compared, informing, type Result } from '../bench';
import { startTableBench, type RunFigures } from './stage';

/** History per 1,000 rows and memory of the worker, as runs get larger: each size on a worker and servers of its own. */
export async function growth({ setting, log, option }: BenchContext): Promise<Result[]> {
  const sizes = option('growth-rows').split(',').map(Number);
  const runs: { rows: number; run: RunFigures }[] = [];
  for (const rows of sizes) {
    const stage = await startTableBench(setting, log);
    await stage.people(rows);
    const run = await stage.run();
    const { records } = (await stage.stats()) as { records: { records: number; writes: number } };
    await stage.stop();
    if (records.records !== rows || records.writes !== rows) throw new Error(`the vendor has ${records.records} records of ${rows}`);
    const { events, bytes, runs: links } = run.history;
    log(
      `growth: ${rows} rows in ${run.seconds.toFixed(1)} s: ${events} events, ${bytes} bytes in ${links} runs, ${Math.round(run.peakMiB)} MiB (load ${os.loadavg()[0]?.toFixed(1)})`,
    );
    runs.push({ rows, run });
  }
  const [first, ...larger] = runs as [(typeof runs)[number], ...typeof runs];
  const per = ({ rows }: { rows: number }, value: number): number => (value * 1_000) / rows;
  const results = [first, ...larger].map((one) => informing(`${one.rows} rows: rows per second`, 'rows/s', one.rows / one.run.seconds));
  for (const one of larger) {
    const beside = `${one.rows} rows, against ${first.rows}`;
    results.push(
      compared(`${beside}: history per 1,000 rows`, 'events', per(one, one.run.history.events), per(first, first.run.history.events), { atMost: 1.05 }),
    );
    results.push(
      compared(`${beside}: history per 1,000 rows`, 'bytes', per(one, one.run.history.bytes), per(first, first.run.history.bytes), { atMost: 1.05 }),
    );
    results.push(compared(`${beside}: most memory of the worker`, 'MiB', one.run.peakMiB, first.run.peakMiB, { atMost: 1.25 }));
  }
  return results;
}
