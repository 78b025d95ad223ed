import type { MatchRate, RowDebt, RunCause } from '../../schemas/table';
import type { ChunkJobs, CloseRequest } from '../port';
import { literal, type Dialect } from './dialect';
import type { Run } from './engine';

/** Reasons told of a run; all of them stand in `run_rows`. */
const mostCauses = 5;

/** Reasons told of what is owed, and one line for all others; all of them stand in `rejected`. */
const mostDebts = 10;

/** Code of the line that stands for the reasons that are not told one by one. */
const otherCode = 'OTHER';

/** Why rows did not land. One code can have several causes: each is told by itself. */
export function causesOf({ schema }: Dialect, run: Run, { runId }: CloseRequest): Promise<RunCause[]> {
  return run<RunCause & Record<string, unknown>>(
    `select outcome, coalesce(code, '') as code, coalesce(cause, '') as cause, cast(count(*) as integer) as rows from ${schema}.run_rows
      where run_id = ${literal(runId)} and outcome in ('rejected', 'invalid', 'failed', 'expired', 'unattributed')
      group by 1, 2, 3 order by 4 desc, 1, 2, 3 limit ${mostCauses}`,
  );
}

/** What is owed, whichever run came to owe it: removals first, then the most frequent reasons; no row is left out of the sum. */
export async function owedOf({ schema }: Dialect, run: Run, { syncId }: CloseRequest): Promise<RowDebt[]> {
  const found = await run<RowDebt & { reasons: number } & Record<string, unknown>>(
    `select op, min(outcome) as outcome, min(code) as code, min(cause) as cause, cast(sum(rows) as integer) as rows, cast(count(*) as integer) as reasons,
      cast(floor(extract(epoch from min(since)) * 1000) as double precision) as "sinceMs"
      from (select *, least(row_number() over (order by op, rows desc, outcome, code, cause), ${mostDebts + 1}) as place from (
        select op, outcome, code, cause, count(*) as rows, min(first_seen) as since from ${schema}.rejected
          where sync_id = ${literal(syncId)} group by op, outcome, code, cause) reasons) placed
      group by op, place order by place, op`,
  );
  return found.map(({ reasons, ...debt }) =>
    reasons === 1 ? debt : { ...debt, code: otherCode, cause: `${reasons} other reasons: they stand in syncline.rejected` },
  );
}

/** How many of those who joined the vendor knows, weighed over the run's jobs; nothing when no vendor said so. */
export async function matchedOf({ schema }: Dialect, run: Run, { runId, syncId }: CloseRequest): Promise<{ matched?: MatchRate }> {
  const chunks = await run<{ job: string }>(`select job from ${schema}.run_chunks where run_id = ${literal(runId)} and op = 'upsert' and job is not null`);
  const told = chunks.flatMap(({ job }) => Object.values(JSON.parse(job) as ChunkJobs)).flatMap(({ rows, matched }) => (matched ? [{ rows, ...matched }] : []));
  const rows = told.reduce((sum, one) => sum + one.rows, 0);
  if (rows === 0) return {};
  const [last] = await run<{ most: number }>(
    `select matched_most as most from ${schema}.runs
      where sync_id = ${literal(syncId)} and run_id <> ${literal(runId)} and matched_most is not null order by started_at desc limit 1`,
  );
  const part = (which: 'least' | 'most'): number => told.reduce((sum, one) => sum + one.rows * one[which], 0) / rows;
  return { matched: { least: part('least'), most: part('most'), before: last?.most ?? null } };
}
