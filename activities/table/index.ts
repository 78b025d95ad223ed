import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { maskText } from '../../connectors/mask';
import type { CloseRunInput, PlanCounts, PlanRunInput, RunEquation, SendChunkInput, SendChunkResult } from '../../schemas/table';
import type { TableSync } from '../../syncs/define-table-sync';
import { WarehouseBusy, WarehouseError } from '../../warehouse/port';
import type { ActivityDeps } from '../deps';
import { withTodaysScopes } from '../lookup';
import { ChunkSender } from './chunk-sender';
import { operationOf } from './items';
import { JobSender } from './job-sender';
import { Lease } from './lease';
import { tellOfDrop } from './match-rate';
import { packChunk } from './pack';
import { suppressingNobody } from './suppression';

const heartbeatMs = 2_000;
/** Outcome of rows that nothing was tried for, by how the run ended. */
const openOutcome = { done: 'failed', cancelled: 'cancelled', refused: 'cancelled', expired: 'expired', failed: 'cancelled' } as const;

/** Activities of table syncs: everything that touches a warehouse or a vendor. */
export function createTableActivities(deps: ActivityDeps) {
  /** The diff, inside the warehouse. Run again, it plans anew, unless something was sent already. */
  async function planRun({ plan, runId, workflowId, full, retryRejected }: PlanRunInput): Promise<PlanCounts> {
    return beating(async () => {
      const warehouse = warehouseOf(plan.warehouse.name);
      const found = await warehouse.plan({
        syncId: plan.syncId,
        runId,
        workflowId,
        source: plan.source,
        mapVersion: plan.mapVersion,
        full,
        retryRejected,
        removals: plan.onRemove !== 'ignore',
        membership: plan.membership ?? false,
        chunkRows: plan.chunkRows,
      });
      const counts: PlanCounts = { ...found, ...(plan.membership ? await suppressingNobody(warehouse, deps.tables.syncs) : {}) };
      const fields = { sync: plan.syncId, run: runId, ...counts };
      deps.log.info(fields, 'rows were compared');
      if (counts.suppressNobody) deps.log.warn(fields, 'rows of syncline.suppression name no declared audience: they keep nobody out');
      return counts;
    });
  }

  /** Brings the open rows of a chunk to their ends; whatever had landed is not sent again. */
  async function sendChunk(given: SendChunkInput): Promise<SendChunkResult> {
    const { runId, chunk } = given;
    const context = Context.current();
    const sync = tableSyncOf(given.plan.syncId);
    const plan = withTodaysScopes(given.plan, sync);
    const input = { ...given, plan };
    const warehouse = warehouseOf(plan.warehouse.name);
    let ended = 0;
    return beating(
      async () => {
        const token = `${context.info.workflowExecution?.runId ?? ''}/${context.info.activityId}/${context.info.attempt}`;
        const lease = new Lease(warehouse, { runId, chunk }, token, deps.now);
        try {
          const waitMs = await lease.take();
          if (waitMs > 0) return { kind: 'held', cause: 'lease', untilMs: deps.now() + waitMs };
          const progress = (rows: number): void => void (ended += rows);
          const { op, jobs } = await warehouse.chunk(input);
          const operation = operationOf(sync, op);
          const parts = { deps, sync, warehouse, input, lease, signal: context.cancellationSignal, progress };
          const sender = operation.kind === 'job' ? new JobSender(parts, operation, jobs) : new ChunkSender(parts, operation);
          const held = await sender.send();
          if (held) return held;
          const rows = await warehouse.finish({ runId, chunk, syncId: plan.syncId });
          return { kind: 'done', end: packChunk(rows, (key) => deps.keyHmac(key)) };
        } catch (error) {
          if (error instanceof WarehouseBusy) return { kind: 'held', cause: 'warehouse', untilMs: deps.now() + 5_000 };
          throw error;
        } finally {
          await lease.release();
        }
      },
      () => ({ ended }),
    );
  }

  /** A run waits for approval, or goes on: for those who look into the warehouse. */
  async function markRun({
    plan,
    runId,
    state,
    waitingFor,
  }: {
    plan: PlanRunInput['plan'];
    runId: string;
    state: string;
    waitingFor: string | null;
  }): Promise<void> {
    return beating(() => warehouseOf(plan.warehouse.name).mark(runId, state, waitingFor));
  }

  /** Counts what became of every planned row, and compares with what the workflow counted. */
  async function closeRun({ plan, runId, state, outcomes: told, approvals }: CloseRunInput): Promise<RunEquation> {
    return beating(async () => {
      const closed = await warehouseOf(plan.warehouse.name).close({ syncId: plan.syncId, runId, state, open: openOutcome[state], approvals });
      const { planned, outcomes, causes, owed, matched } = closed;
      if (matched) tellOfDrop(deps, plan, matched);
      const sum = Object.values(outcomes).reduce((total, rows) => total + rows, 0);
      // A run that ended early has rows whose chunk never told its end: then the warehouse knows more than the workflow.
      const names = new Set([...Object.keys(outcomes), ...Object.keys(told)] as (keyof typeof told)[]);
      const differs = [...names].filter((name) => (state === 'done' ? outcomes[name] !== told[name] : (told[name] ?? 0) > (outcomes[name] ?? 0)));
      const holds = planned === sum && differs.length === 0;
      const words = differs.map((name) => `${name}: ${told[name] ?? 0} in history, ${outcomes[name] ?? 0} in the warehouse`).join('; ');
      const fields = { sync: plan.syncId, run: runId, state, planned, ...outcomes };
      if (holds) deps.log.info(fields, 'a table run ended');
      else deps.log.error({ ...fields, differs: words }, 'a table run does not add up');
      return {
        planned,
        outcomes,
        holds,
        ...(differs.length > 0 ? { differs: words } : {}),
        ...(causes.length > 0 ? { causes } : {}),
        ...(owed.length > 0 ? { owed } : {}),
        ...(matched ? { matched } : {}),
      };
    });
  }

  function warehouseOf(name: string) {
    const warehouse = deps.tables.warehouse(name);
    if (warehouse) return warehouse;
    throw ApplicationFailure.create({
      type: 'UNKNOWN_WAREHOUSE',
      message: `this worker does not know warehouse "${name}"; deploy one that declares it`,
      nonRetryable: false,
    });
  }

  function tableSyncOf(id: string): TableSync {
    const sync = deps.tables.syncs.get(id);
    if (sync) return sync;
    throw ApplicationFailure.create({
      type: 'UNKNOWN_SYNC',
      message: `this worker does not know table sync "${id}"; deploy a worker that lists it in syncs/index.ts`,
      nonRetryable: false,
    });
  }

  return { planRun, sendChunk, markRun, closeRun };
}

/** Beats while it works; what somebody has to mend ends the activity, what waiting mends is tried again. */
async function beating<T>(work: () => Promise<T>, details: () => object = () => ({})): Promise<T> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(details()), heartbeatMs);
  try {
    return await work();
  } catch (error) {
    if (error instanceof WarehouseError)
      throw ApplicationFailure.create({ type: error.code, message: maskText(error.message, { fields: error.names }), nonRetryable: true });
    if (error instanceof WarehouseBusy) throw ApplicationFailure.create({ type: 'WAREHOUSE_BUSY', message: maskText(error.message), nextRetryDelay: '5s' });
    throw error;
  } finally {
    clearInterval(beat);
  }
}
