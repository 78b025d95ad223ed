import type { Violation } from '../../schemas/contract';
import type { SourceEvent, Version } from '../../schemas/event';
import type { Json } from '../../schemas/json';
import type { AttemptEnd, RecordOutcome } from '../../schemas/outcome';
import type { SyncPlan } from '../../schemas/plan';

/** One thing that happened to a record, in the order of its history. `at` is epoch milliseconds. */
export type Step = { at: number } & (
  | { kind: 'received'; event: Omit<SourceEvent, 'body'> }
  | { kind: 'started'; how: 'event' | 'replay' | 'continued' | 'reset'; plan: SyncPlan | null; resendEqual: boolean }
  | { kind: 'mapped'; key: string; keyHmac: string; version: Version | null; fields: string[]; input: Json }
  | { kind: 'skipped'; reason: string }
  | { kind: 'invalid'; code: string; cause: string; violations: Violation[] }
  | { kind: 'mapping-failed'; code: string; cause: string }
  | { kind: 'enriched'; name: string; fallback: boolean; value?: Json; cause?: string; tookMs?: number }
  | { kind: 'attempt'; attempt: AttemptEnd }
  | { kind: 'held'; cause: string; untilMs: number }
  | { kind: 'waited'; what: string; forMs: number; tookMs: number | null }
  /** An activity ended without a result of its own shape; `attempts` counts Temporal's, not HTTP's. */
  | { kind: 'activity'; name: string; summary?: string; state: 'done' | 'failed' | 'timed-out' | 'cancelled' | 'open'; attempts: number; problem?: string }
  | { kind: 'signal'; name: string }
  | { kind: 'continued'; runId: string }
  /** Operators' hands: a reset, a request to cancel, a termination. */
  | { kind: 'operator'; what: string; reason?: string }
  | { kind: 'ended'; outcome: RecordOutcome }
  /** Closed without an outcome: terminated, timed out, or failed in a way no outcome was booked for. */
  | { kind: 'closed'; status: RunStatus; problem?: string }
  | { kind: 'other'; type: string }
);

export type RunStatus = 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed-out' | 'continued';

/** One run of a workflow id, read from its history. */
export interface RunTrace {
  workflowId: string;
  runId: string;
  workflowType: string;
  startedAt: number;
  closedAt: number | null;
  status: RunStatus;
  /** `continued` runs belong to the run before them. */
  how: 'event' | 'replay' | 'continued' | 'reset';
  plan: SyncPlan | null;
  /** With the body: what a replay needs when the inbox has dropped it. */
  event: SourceEvent | null;
  outcome: RecordOutcome | null;
  steps: Step[];
  /** A newer run that took over (continue-as-new). */
  nextRunId: string | null;
  previousRunId: string | null;
  historyEvents: number;
}
