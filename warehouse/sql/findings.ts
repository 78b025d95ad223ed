import type { MatchRate, RowDebt, RunCause } from '../../schemas/table';
import type { ChunkJobs, CloseRequest } from '../port';
import { literal, type Dialect } from './dialect';
import type { Run } from './engine';

/** Reasons told of a run; all of them stand in `run_rows`. */
const mostCauses = 5;

/** Reasons told of what is owed; all of them stand in `rejected`. */
const mostDebts = 10;

/** Why rows did not land. */
export function causesOf({ schema }: Dialect, run: Run, { runId }: CloseRequest): Promise<RunCause[]> {
  return run<RunCause & Record<string, unknown>>(
    `select outcome, coalesce(code, '') as code, coalesce(min(cause), '') as cause, cast(count(*) as integer) as rows from ${schema}.run_rows
      where run_id = ${literal(runId)} and outcome in ('rejected', 'invalid', 'failed', 'expired', 'unattributed')
      group by outcome, code order by 4 desc, 1, 2 limit ${mostCauses}`,
  );
}

/** What is owed, whichever run came to owe it. */
export function owedOf({ schema }: Dialect, run: Run, { syncId }: CloseRequest): Promise<RowDebt[]> {
  return run<RowDebt & Record<string, unknown>>(
    `select op, outcome, code, min(cause) as cause, cast(count(*) as integer) as rows, cast(floor(extract(epoch from min(first_seen)) * 1000) as double precision) as "sinceMs"
      from ${schema}.rejected where sync_id = ${literal(syncId)} group by op, outcome, code order by 5 desc, 1, 2, 3 limit ${mostDebts}`,
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
