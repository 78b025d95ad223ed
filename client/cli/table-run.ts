import { WorkflowNotFoundError } from '@temporalio/client';
import type { TableRunView } from '../../schemas/table';
import { compileTablePlan, type TableSync } from '../../syncs/define-table-sync';
import { tableRunWorkflowId } from '../../workflows/ids';
import { tableRunQuery, type WaitingWork } from '../../workflows/messages';
import type { CliContext } from './context';

/** A run is asked by way of a worker; without one it would take for ever. */
const answerMs = 3_000;

/** The newest run of a table sync: Temporal's word on it, and its own. */
export interface TableRun {
  workflowId: string;
  runId: string;
  /** As Temporal has it: `running`, `completed`, `failed`, `cancelled`, `terminated`, … */
  status: string;
  startedAt: number;
  closedAt: number | null;
  /** null = no worker answered for it. */
  view: TableRunView | null;
}

/** The table sync that an id names: its own, or its run's. */
export function tableSyncOf(context: CliContext, id: string): TableSync | undefined {
  return context.tableSyncs().find((sync) => id === sync.id || id === tableRunWorkflowId(sync.id));
}

/** null = it has not run yet, or its run is past retention. */
export async function newestTableRun(context: CliContext, syncId: string): Promise<TableRun | null> {
  const { client } = await context.temporal();
  const handle = client.workflow.getHandle(tableRunWorkflowId(syncId));
  try {
    const { workflowId, runId, status, startTime, closeTime } = await handle.describe();
    const view = await client.withDeadline(Date.now() + answerMs, () => handle.query(tableRunQuery)).catch(() => null);
    const name = status.name.toLowerCase().replaceAll('_', '-');
    return { workflowId, runId, status: name, startedAt: startTime.getTime(), closedAt: closeTime?.getTime() ?? null, view };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** Calls that the rows of a run under way will want; none where it compares, waits for approval, or does not answer. */
export async function tableWork(context: CliContext, sync: TableSync): Promise<WaitingWork> {
  const run = await newestTableRun(context, sync.id).catch(() => null); // the estimates are then of what the workers know
  return workOf(sync, run);
}

/** Rows without an end, in calls as full as the operation takes and a chunk allows. */
export function workOf(sync: TableSync, run: TableRun | null): WaitingWork {
  const { maxBatch, chunkRows, budget } = compileTablePlan(sync);
  const { state, counts = null, ended = 0, lane = budget.lane } = run?.status === 'running' ? (run.view ?? {}) : {};
  const open = state === 'running' && counts ? Math.max(0, counts.planned - ended) : 0;
  return { sync: sync.id, lane, calls: Math.ceil(open / Math.min(maxBatch, chunkRows)) };
}
