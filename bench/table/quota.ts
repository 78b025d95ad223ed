import os from 'node:os';
import { type BenchContext, compared, informing, type Result } from '../bench';
import { startTableBench } from './stage';

/** What the vendor takes: 100 calls in any 10 s (HubSpot's smallest plan), of 100 rows each. */
const [calls, windowSeconds, batch] = [100, 10, 100];

/** A run that is bound by the vendor's quota: from its start to its result, against what its calls take at the quota's rate. A window could be won by a burst at the start. */
export async function quota({ setting, log, count }: BenchContext): Promise<Result[]> {
  const rows = count('quota-rows');
  const stage = await startTableBench(setting, log, { limits: 'strict', simulator: ['--plan', 'free', '--latency-ms', '20-80'] });
  await stage.people(rows);
  const { seconds, result } = await stage.run();
  const stats = (await stage.stats()) as { calls: number; byStatus: Record<string, number>; records: { records: number } };
  await stage.stop();
  if (stats.records.records !== rows || !result.equation.holds) throw new Error(`the vendor has ${stats.records.records} records of ${rows}`);
  const bound = (rows / batch / calls) * windowSeconds;
  const refused = stats.byStatus['429'] ?? 0;
  log(
    `quota: ${rows} rows, ${stats.calls} calls in ${seconds.toFixed(1)} s, at the quota's rate ${bound} s; ${refused} refused (load ${os.loadavg()[0]?.toFixed(1)})`,
  );
  return [
    compared(`${rows} rows, ${calls} calls in ${windowSeconds} s: a run, against as many calls at the quota’s rate`, 's', seconds, bound, { atMost: 1.03 }),
    { ...informing(`${rows} rows, ${calls} calls in ${windowSeconds} s: refused`, '429s', refused), aim: '<= 0', met: refused === 0 },
    informing(`${rows} rows, ${calls} calls in ${windowSeconds} s: calls beyond one per ${batch} rows`, 'calls', stats.calls - Math.ceil(rows / batch)),
  ];
}
