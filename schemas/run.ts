import type { Violation } from './contract';
import type { SourceEvent, Version } from './event';
import type { Json } from './json';
import type { AttemptEnd, RecordOutcome } from './outcome';
import type { SyncPlan } from './plan';

/** Input of `recordSync`: one event, one sync. */
export interface RecordSyncInput {
  plan: SyncPlan;
  event: SourceEvent;
  /** Replay or repair: send though the same version landed before. */
  resendEqual?: boolean;
  /** What a run carries over continue-as-new. */
  carried?: { attempts: AttemptEnd[]; cycles: number; cycleStart: number; startedAtMs: number };
}

/** A record ready to be written, as mapped. */
export interface PreparedRecord {
  /** The record's key at the vendor, in its normal form. Only in payloads; everything else carries `keyHmac`. */
  key: string;
  keyHmac: string;
  version: Version;
  /** Fields it writes. */
  fields: string[];
  /** What is sent to the vendor. */
  input: Json;
}

/** What enrichment gave; `value` is absent when the sync's fallback has to do. */
export interface EnrichmentResult {
  value?: Json;
  fallback: boolean;
  /** Why the fallback was used. */
  cause?: string;
  tookMs: number;
}

export interface PrepareInput {
  plan: SyncPlan;
  event: SourceEvent;
  enrichment: EnrichmentResult | null;
}

export type PrepareResult =
  | { kind: 'ready'; record: PreparedRecord }
  | { kind: 'skipped'; reason: string }
  | { kind: 'invalid'; code: string; cause: string; violations: Violation[] }
  /** The mapping itself threw: our fault, not the source's. */
  | { kind: 'failed'; code: string; cause: string };

/** The event without its body: what delivery needs to book the outcome. */
export type EventFacts = Omit<SourceEvent, 'body'>;

export interface DeliverInput {
  plan: SyncPlan;
  event: EventFacts;
  record: PreparedRecord;
  /** HTTP attempts of earlier activities of this run. */
  attempts: AttemptEnd[];
  enrichment?: RecordOutcome['enrichment'];
  resendEqual?: boolean;
}

/** Why a record waits. */
export type HeldCause = 'budget' | 'breaker' | 'paused' | 'off-peak' | 'claim' | 'ledger' | 'shutdown';

export type DeliverResult =
  | { kind: 'done'; outcome: RecordOutcome }
  /** Not sent (or sent and failed while the vendor is down): nothing is lost, no attempt is used by waiting. */
  | {
      kind: 'held';
      cause: HeldCause;
      /** Epoch milliseconds. */
      untilMs: number;
      attempts: AttemptEnd[];
      /** With `breaker`: other records landed since this one's earlier failures, so the fault may be its own. */
      othersLanded?: boolean;
    }
  /** The fast path's first try failed in a way that a retry can mend. */
  | { kind: 'retry'; waitMs: number; attempts: AttemptEnd[] };

/** `details[0]` of the failure of a `deliver` attempt: what the next activity of the run has to know. */
export interface DeliverFailureDetails {
  attempts: AttemptEnd[];
  vendorSaid?: Json;
}

export interface RecordOutcomeInput {
  plan: SyncPlan;
  event: EventFacts;
  keyHmac?: string;
  outcome: RecordOutcome;
}
