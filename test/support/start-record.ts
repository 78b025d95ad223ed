import type { WorkflowHandle } from '@temporalio/client';
import { recordSyncType, startOptions } from '../../platform/start-options';
import type { RecordOutcome } from '../../schemas/outcome';
import type { Lane, SyncPlan } from '../../schemas/plan';
import { customer } from './chaos-events';
import type { Stack } from './stack';

/** A record on its way, handed straight to Temporal. */
export interface StartedRecord {
  email: string;
  handle: WorkflowHandle;
  /** How it ended, whichever way; nothing of one that was terminated. */
  outcome: Promise<RecordOutcome>;
}

/** Starts customer `n` of the shop in the lane asked for, without gateway and inbox. */
export async function startRecord(stack: Stack, plan: SyncPlan, lane: Lane, n: number, email: string): Promise<StartedRecord> {
  const { eventId, topic, body } = customer(n, email, n);
  const at = Date.now();
  const event = {
    id: eventId,
    source: 'shopify',
    account: 'shop',
    topic,
    receivedAt: new Date(at).toISOString(),
    version: { at, arrival: at * 1_000 + n },
    body: body as never,
  };
  const inLane: SyncPlan = { ...plan, budget: { ...plan.budget, lane } };
  const handle = await stack.client.workflow.start(recordSyncType, startOptions(inLane, event));
  const outcome = handle.result().catch((error: any) => error.cause?.details?.[0]) as Promise<RecordOutcome>;
  return { email, handle, outcome };
}
