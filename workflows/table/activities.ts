import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities';
import type { TablePlan } from '../../schemas/table';
import { lanePriority, vendorTaskQueue, warehouseTaskQueue } from '../ids';

/** Retried for as long as the warehouse is away: waiting is not failing. What waiting can't mend is not retryable. */
const patient = { initialInterval: '1s', maximumInterval: '30s' } as const;

/** Steps on the warehouse's own queue: a diff, the books. */
export function warehouseSteps(plan: TablePlan, summary: string) {
  return proxyActivities<Activities>({
    taskQueue: warehouseTaskQueue(plan.warehouse.name),
    startToCloseTimeout: '1h',
    heartbeatTimeout: '15s',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: patient,
    summary,
  });
}

/**
 * Chunks go to the vendor account's queue for bulk, which rests while its gate is shut. Only one process may open a DuckDB
 * file: there they go where that process is.
 */
export function chunkSteps(plan: TablePlan, summary: string) {
  const taskQueue = plan.warehouse.engine === 'duckdb' ? warehouseTaskQueue(plan.warehouse.name) : vendorTaskQueue(plan.vendor, plan.account, 'bulk');
  return proxyActivities<Activities>({
    taskQueue,
    // A slice (4 min), the longest wait for a permit, calls in flight and their booking; heartbeats show a dead worker sooner.
    startToCloseTimeout: '10m',
    heartbeatTimeout: '10s',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: patient,
    priority: { priorityKey: lanePriority[plan.budget.lane], fairnessKey: plan.syncId.slice(0, 64) },
    summary,
  });
}
