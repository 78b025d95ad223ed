import type { OutcomeCounts, PlanCounts } from '../../schemas/table';
import { inJobCode, type CloseRequest, type ClosedRun, type PlanRequest } from '../port';
import { causesOf, matchedOf, owedOf } from './findings';
import { literal, whole, type Dialect } from './dialect';
import type { Engine, Run } from './engine';
import { knowSource } from './known-source';
import { compare, countDiff, countSource, quarantine, readSource, writePlan, type SourceCounts } from './plan';
import { settle } from './rows';
import { countColumns, rowOutcomes } from './schema';

/** A diff of a million rows takes seconds; a slow query of the user's may take longer. */
const planTimeoutMs = 30 * 60_000;

/** `run_rows` of runs that ended so long ago are dropped; `runs` stays. Days. */
export const keepRowsDays = 30;

/** The whole plan in one transaction: either all of it is there, or nothing. */
export function planRun(engine: Engine, request: PlanRequest): Promise<PlanCounts> {
  const { dialect } = engine;
  return engine.transaction(
    async (run) => {
      for (const sql of dialect.lock(request.syncId)) await run(sql);
      const begun = await alreadyBegun(dialect, run, request);
      if (begun) return begun;
      await closeLost(dialect, run, request);
      const source = await knowSource(engine, run, request.syncId, request.source);
      for (const sql of [...forget(dialect, request.runId), ...readSource(dialect, source, request), ...compare(dialect, request)]) await run(sql);
      const [counted] = await run<SourceCounts>(countSource(dialect, request));
      const counts = countsOf(request, counted!, await run<DiffCount>(countDiff));
      for (const sql of [...writePlan(dialect, source, request, counts.firstChunks), ...quarantine(dialect, request), recordPlan(dialect, request, counts)])
        await run(sql);
      return counts;
    },
    { source: true, timeoutMs: planTimeoutMs },
  );
}

/** A run that has sent something is not planned again: what its plan says stays true. */
async function alreadyBegun({ schema }: Dialect, run: Run, request: PlanRequest): Promise<PlanCounts | null> {
  const { runId } = request;
  const [row] = await run<Record<string, number>>(
    `select ${countColumns.map((column) => `cast(${column} as integer) as ${column}`).join(', ')} from ${schema}.runs where run_id = ${literal(runId)}
      and exists (select 1 from ${schema}.run_rows where run_id = ${literal(runId)} and (outcome is not null or attempts > 0 or code is not null))`,
  );
  if (!row) return null;
  const at = (column: (typeof countColumns)[number]): number => row[column] ?? 0;
  const counts = {
    read: at('rows_read'),
    known: at('rows_known'),
    added: at('added'),
    changed: at('changed'),
    removed: at('removed'),
    unchanged: at('unchanged'),
    resent: at('resent'),
    resting: at('resting'),
    badKeys: { null: at('keys_null'), duplicate: at('keys_duplicate'), long: at('keys_long') },
    planned: at('planned'),
    chunks: at('chunks'),
  };
  const written = counts.added + counts.changed + counts.resent;
  return { ...counts, firstChunks: chunksOf(request, written, counts.planned - written).first };
}

/** How many chunks write and how many remove; the first of them must have ended before the others begin. */
function chunksOf({ membership = false, chunkRows }: PlanRequest, written: number, gone: number) {
  const [writing, removing] = [Math.ceil(written / chunkRows), Math.ceil(gone / chunkRows)];
  return { planned: written + gone, all: writing + removing, first: membership ? removing : writing };
}

function forget({ schema }: Dialect, runId: string): string[] {
  return ['run_rows', 'run_chunks', 'runs'].map((table) => `delete from ${schema}.${table} where run_id = ${literal(runId)}`);
}

/** A run that was terminated, or whose history was lost, did not close itself: what landed of it must be known first. */
async function closeLost(dialect: Dialect, run: Run, { syncId, runId }: PlanRequest): Promise<void> {
  const lost = await run<{ run_id: string }>(
    `select run_id from ${dialect.schema}.runs where sync_id = ${literal(syncId)} and ended_at is null and run_id <> ${literal(runId)}`,
  );
  for (const { run_id } of lost) await closeRun(dialect, run, { syncId, runId: run_id, state: 'lost', open: 'cancelled', approvals: [] });
}

interface DiffCount {
  change: 'added' | 'changed' | 'removed' | 'resent';
  resting: boolean;
  rows: number;
}

function countsOf(request: PlanRequest, source: SourceCounts, diff: readonly DiffCount[]): PlanCounts & { firstChunks: number } {
  const of = (change: DiffCount['change'], resting: boolean): number => diff.find((one) => one.change === change && one.resting === resting)?.rows ?? 0;
  const [added, changed, resent] = [of('added', false), of('changed', false), of('resent', false)];
  const resting = of('added', true) + of('changed', true) + of('resent', true);
  const badKeys = { null: source.null_keys, duplicate: source.duplicates, long: source.long_keys };
  const removed = of('removed', false);
  // A member who changed also leaves, and does so even while what they are now was refused before.
  const leaving = request.membership ? changed + of('changed', true) : 0;
  const chunks = chunksOf(request, added + changed + resent, (request.removals ? removed : 0) + leaving);
  return {
    read: source.read,
    known: source.known,
    added,
    changed,
    removed,
    unchanged: source.read - badKeys.null - badKeys.duplicate - badKeys.long - added - changed - resent - resting,
    resent,
    resting,
    badKeys,
    planned: chunks.planned,
    chunks: chunks.all,
    firstChunks: chunks.first,
  };
}

function recordPlan({ schema }: Dialect, request: PlanRequest, counts: PlanCounts): string {
  const { badKeys } = counts;
  const numbers = [
    counts.read,
    counts.known,
    counts.added,
    counts.changed,
    counts.removed,
    counts.unchanged,
    counts.resent,
    counts.resting,
    badKeys.null,
    badKeys.duplicate,
    badKeys.long,
    counts.planned,
    counts.chunks,
  ];
  return `insert into ${schema}.runs (run_id, sync_id, workflow_id, state, is_full, map_version, planned_at, ${countColumns.join(', ')})
    values (${literal(request.runId)}, ${literal(request.syncId)}, ${literal(request.workflowId)}, 'planned', ${request.full}, ${whole(request.mapVersion)}, now(), ${numbers.map(whole).join(', ')})`;
}

/** Ends the run and counts it. A second close changes nothing. */
export async function closeRun(dialect: Dialect, run: Run, request: CloseRequest): Promise<ClosedRun> {
  const { schema } = dialect;
  const id = literal(request.runId);
  const inJob = `code = ${literal(inJobCode)}`;
  await run(
    `update ${schema}.run_rows set outcome = ${literal(request.open)}, ended_at = now(),
      code = case when ${inJob} then 'JOB_NOT_AWAITED' else code end,
      cause = case when ${inJob} then 'handed over to the vendor in a job whose end was not awaited: it may have landed, and is sent again by the next run' else cause end
      where run_id = ${id} and outcome is null`,
  );
  const open = `exists (select 1 from ${schema}.run_chunks c where c.run_id = r.run_id and c.chunk = r.chunk and not c.finished)`;
  const [waiting] = await run(`select 1 as one from ${schema}.run_chunks where run_id = ${id} and not finished limit 1`);
  if (waiting) {
    for (const sql of settle(dialect, request.syncId, `r.run_id = ${id} and ${open}`)) await run(sql);
    await run(`update ${schema}.run_chunks set finished = true, lease = null, lease_until = null where run_id = ${id} and not finished`);
  }
  const rows = await run<{ outcome: keyof OutcomeCounts; rows: number }>(
    `select outcome, cast(count(*) as integer) as rows from ${schema}.run_rows where run_id = ${id} group by outcome`,
  );
  const outcomes: OutcomeCounts = Object.fromEntries(rows.map((row) => [row.outcome, row.rows]));
  const [planned] = await run<{ planned: number }>(`select cast(planned as integer) as planned from ${schema}.runs where run_id = ${id}`);
  const sum = rows.reduce((total, row) => total + row.rows, 0);
  const holds = planned?.planned === sum;
  const found = { causes: await causesOf(dialect, run, request), owed: await owedOf(dialect, run, request), ...(await matchedOf(dialect, run, request)) };
  await run(
    `update ${schema}.runs set state = ${literal(request.state)}, waiting_for = null, ended_at = coalesce(ended_at, now()), equation_holds = ${holds},
      matched_least = ${found.matched?.least ?? 'null'}, matched_most = ${found.matched?.most ?? 'null'},
      approvals = coalesce(approvals, $1), ${rowOutcomes.map((outcome) => `${outcome} = ${whole(outcomes[outcome] ?? 0)}`).join(', ')} where run_id = ${id}`,
    [request.approvals.length === 0 ? null : JSON.stringify(request.approvals)],
  );
  await run(
    `delete from ${schema}.run_rows where run_id in (select run_id from ${schema}.runs
      where sync_id = ${literal(request.syncId)} and ended_at < now() - ${keepRowsDays} * interval '1 day')`,
  );
  return { planned: planned?.planned ?? 0, outcomes, ...found };
}
