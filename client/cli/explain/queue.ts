import type { Lane } from '../../../schemas/plan';
import { lanePriority } from '../../../workflows/ids';
import type { TemporalAccess } from '../context';

/** A task queue: who polls it, what stands in it, and how much of that goes first. */
export interface QueueFacts {
  name: string;
  pollers: number;
  waiting: number;
  ahead: number;
}

/** What stands in a task queue. Records of its own lane count as before it by half. */
export async function queueOf({ client, namespace }: TemporalAccess, name: string, lane: Lane): Promise<QueueFacts> {
  const answer = await client.workflowService.describeTaskQueue({ namespace, taskQueue: { name }, taskQueueType: 2, reportStats: true });
  const count = (stats: { approximateBacklogCount?: unknown } | null | undefined): number => Number(stats?.approximateBacklogCount ?? 0);
  const byPriority = Object.entries((answer as { statsByPriorityKey?: Record<string, { approximateBacklogCount?: unknown }> }).statsByPriorityKey ?? {});
  const waiting = count(answer.stats);
  const sum = (fits: (priority: number) => boolean): number =>
    byPriority.filter(([key]) => fits(Number(key))).reduce((total, [, stats]) => total + count(stats), 0);
  const before = sum((priority) => priority < lanePriority[lane]) + sum((priority) => priority === lanePriority[lane]) / 2;
  return {
    name,
    pollers: answer.pollers?.length ?? 0,
    waiting,
    ahead: Math.max(0, Math.min(waiting - 1, byPriority.length > 0 ? Math.floor(before) : Math.floor(waiting / 2))),
  };
}
