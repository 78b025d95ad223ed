import type { Client } from '@temporalio/client';
import type { BudgetScope } from '../../schemas/plan';

/** Tasks waiting in the queues whose records spend from a scope: all the demand there is while none of them is polled. */
export function createBacklog(
  clientOf: () => Client,
  namespace: string,
  queuesOf: (scope: BudgetScope) => readonly string[],
): (scope: BudgetScope) => Promise<number> {
  return async (scope) => {
    const counts = await Promise.all(
      queuesOf(scope).map(async (name) => {
        const { stats } = await clientOf().workflowService.describeTaskQueue({ namespace, taskQueue: { name }, taskQueueType: 2, reportStats: true });
        return Number(stats?.approximateBacklogCount ?? 0);
      }),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  };
}
