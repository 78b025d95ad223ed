import { Connection } from '@temporalio/client';
import { type BenchContext, compared, informing, type Result } from '../bench';
import { burst as round, type Watch } from '../engine/rounds';
import { bareSide, ourSide } from '../engine/sides';

/** Events of the burst, and of the bare side's: that one has no limit, its rate does not depend on the number. */
const events = { ours: 3_000, bare: 600 };

/**
 * A burst of live events at 100 calls in 10 s against what a bare workflow does on this machine when nobody limits it: records
 * that leave together share calls, so that the machine is the limit, not the quota.
 */
export async function burst({ setting, log }: BenchContext): Promise<Result[]> {
  const postgres = await setting.postgres();
  const temporal = await setting.temporal('memory', ['bare', 'syncline']);
  const connection = await Connection.connect({ address: temporal.address });
  const watch = (simulator: { url: string; pid: number }): Watch => ({
    connection,
    hubspotUrl: simulator.url,
    pids: { server: temporal.pid, database: postgres.pid, simulator: simulator.pid },
  });

  const free = await setting.simulator();
  const bare = await bareSide({ setting, temporalAddress: temporal.address, hubspotUrl: free.url, log });
  await round(bare, watch(free), 'warm-bare', 150);
  const theirs = await round(bare, watch(free), 'burst', events.bare);
  await bare.process.stop();
  await free.stop();

  const strict = await setting.simulator(['--plan', 'free']);
  const ours = await ourSide({ setting, temporalAddress: temporal.address, hubspotUrl: strict.url, log }, 'budget_burst', 'free');
  await round(ours, watch(strict), 'warm-ours', 150);
  const mine = await round(ours, watch(strict), 'burst', events.ours);
  await ours.ledger.close();
  await ours.process.stop();
  await strict.stop();
  await connection.close();
  await temporal.stop();

  const [rate, bareRate] = [mine.count / mine.seconds, theirs.count / theirs.seconds];
  log(`burst: ${rate.toFixed(1)} records/s in ${mine.calls} calls, ${mine.refused} refused; bare, unlimited: ${bareRate.toFixed(1)}`);
  const name = `burst of ${mine.count} live events at 10 calls/s`;
  return [
    compared(`${name}: records/s, against a bare workflow without a limit`, 'records/s', rate, bareRate, { atLeast: 0.8 }),
    informing(`${name}: records per call`, 'records', mine.count / mine.calls),
    { ...informing(`${name}: refused`, '429s', mine.refused), aim: '<= 0', met: mine.refused === 0 },
  ];
}
