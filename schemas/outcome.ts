import type { Violation } from './contract';
import type { Json } from './json';

/** Where a record ended (design: one terminal outcome each). */
export const terminalOutcomes = ['verified', 'accepted', 'skipped', 'superseded', 'rejected', 'invalid', 'expired', 'failed'] as const;

/** Later findings about an accepted record; they change the ledger, never the closed run. */
export const findingOutcomes = ['missing', 'drifted'] as const;

/** Outcomes that exist inside runs of many only. */
export const runOutcomes = ['held', 'cancelled', 'unattributed'] as const;

export type TerminalOutcome = (typeof terminalOutcomes)[number];
export type FindingOutcome = (typeof findingOutcomes)[number];
export type RunOutcome = (typeof runOutcomes)[number];
export type Outcome = TerminalOutcome | FindingOutcome | RunOutcome;

/** Outcomes a person must act on: a recordSync run that ends so is `Failed`, and its event can be replayed. */
export const failedOutcomes = ['rejected', 'invalid', 'expired', 'failed'] as const satisfies readonly TerminalOutcome[];

/** True for `rejected`, `invalid`, `expired`, `failed`. */
export function isFailedOutcome(outcome: Outcome): outcome is (typeof failedOutcomes)[number] {
  return (failedOutcomes as readonly string[]).includes(outcome);
}

/** One HTTP attempt, as it stays in history: Temporal itself keeps only the last failure. */
export interface AttemptEnd {
  /** 1 for the first call made for this record. */
  number: number;
  /** When the attempt ended, ISO 8601 UTC. */
  at: string;
  /** HTTP status; null when no answer came. */
  status: number | null;
  /** `OK`, a vendor error code (`RATE_LIMITED`, …) or `LOST` when a worker died before it could say. */
  code: string;
  /** Wait before the next attempt, milliseconds; 0 after the last. */
  waitMs: number;
  /** Duration of the call, milliseconds. */
  tookMs: number;
  /** Records that shared the call. */
  batch: number;
  /** The vendor's id of the request, for its support. */
  requestId?: string;
  /** In plain words, personal data masked. */
  cause?: string;
  /** `true` when the request may have taken effect though no answer was read. */
  ambiguous?: boolean;
}

/** The end of one record: result of a run, or the details of its failure. */
export interface RecordOutcome {
  outcome: TerminalOutcome;
  /** Stable code behind the outcome (`PROPERTY_DOESNT_EXIST`, `CONTRACT_VIOLATION`, …). */
  code?: string;
  /** In plain words, personal data masked: safe in failure messages, logs and lists. */
  cause?: string;
  /** The vendor's answer in full. Only in payloads (they pass the codec), never in messages or logs. */
  vendorSaid?: Json;
  /** The vendor's id of the record. */
  vendorId?: string;
  /** For `invalid`: field, expected, found. */
  violations?: Violation[];
  attempts: AttemptEnd[];
  /** Set when enrichment was declared: whether first-party data had to do, and why. */
  enrichment?: { fallback: boolean; cause?: string };
  /** How a repeat of this operation behaves at the vendor: `safe`, `key`, `lookup` or `duplicates`. */
  resend: ResendRule;
}

/**
 * What sending a record twice does at the vendor: `safe` upsert behind the fence; `key` the vendor's idempotency key;
 * `lookup` look first; `duplicates` honestly may duplicate.
 */
export type ResendRule = 'safe' | 'key' | 'lookup' | 'duplicates';
