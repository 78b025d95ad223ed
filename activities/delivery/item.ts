import type { AttemptEnd, RecordOutcome } from '../../schemas/outcome';
import type { DeliverInput, HeldCause } from '../../schemas/run';

/** How one record left a delivery. */
export type ItemEnd =
  /** It has its outcome, and the ledger knows. */
  | { kind: 'done'; outcome: RecordOutcome }
  /** Nothing was sent: no attempt is used. */
  | { kind: 'unsent'; cause: HeldCause; untilMs: number }
  /** Sent, and a retry can mend it. `waitMs` of the attempt is still to be decided. */
  | { kind: 'failed'; attempt: AttemptEnd; message: string; retryAfterMs?: number; vendorSaid?: unknown };

/** One record on its way to a vendor call. */
export interface Item extends DeliverInput {
  run: { workflowId: string; runId: string };
  /** It came by its task queue, not by the fast path. */
  queued?: boolean;
  /** Epoch ms; unsent by then, it leaves the queue as `unsent`. */
  deadlineMs: number;
  /** Epoch ms; not to be taken earlier (another run's claim is in force). */
  notBeforeMs: number;
  settle(end: ItemEnd): void;
}

/**
 * Records this one may share a call with, itself included. After a failed call of many the next is smaller, down to one
 * on its own: a poisoned record soon fails alone, and the others land without it.
 */
export function batchCap(item: Pick<Item, 'attempts' | 'plan'>): number {
  const last = item.attempts.at(-1);
  if (!last || last.code === 'RATE_LIMITED') return item.plan.maxBatch;
  return last.batch <= 4 ? 1 : Math.ceil(Math.sqrt(last.batch));
}
