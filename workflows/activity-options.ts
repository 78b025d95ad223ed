import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../activities';
import type { SyncPlan } from '../schemas/plan';
import { lanePriority, vendorTaskQueue } from './ids';

/** Light steps in the worker itself: one marker in history, no round trip. Retried until the ledger answers. */
export function lightSteps(summary: string) {
  return proxyLocalActivities<Activities>({
    startToCloseTimeout: '30s',
    retry: { initialInterval: '200ms', maximumInterval: '10s' },
    localRetryThreshold: '1m',
    summary,
  });
}

/** A step that is tried once: its caller has another way. */
export function oneTry(summary: string, timeoutMs: number) {
  return proxyLocalActivities<Activities>({ startToCloseTimeout: timeoutMs, retry: { maximumAttempts: 1 }, summary });
}

/** Delivery on the vendor account's own queue, under the sync's declared retry policy. */
export function queuedDelivery(plan: SyncPlan, left: { attempts: number; ms: number }, summary: string) {
  return proxyActivities<Activities>({
    taskQueue: vendorTaskQueue(plan.vendor, plan.account, plan.budget.lane === 'live' ? 'live' : 'bulk'),
    // Wait in the batcher (20 s) + HTTP timeout (10 s) + booking; heartbeats show a dead worker sooner.
    startToCloseTimeout: '60s',
    heartbeatTimeout: '10s',
    // Waiting in the queue is not failing: only its expiry ends it, and then nothing is in flight.
    scheduleToStartTimeout: left.ms,
    retry: {
      maximumAttempts: Math.max(1, left.attempts),
      initialInterval: plan.retry.initialIntervalMs,
      maximumInterval: Math.max(plan.retry.maxIntervalMs, plan.retry.initialIntervalMs),
    },
    priority: { priorityKey: lanePriority[plan.budget.lane], fairnessKey: plan.syncId.slice(0, 64) },
    summary,
  });
}
