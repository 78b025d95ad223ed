import type { FindingOutcome, Outcome, TerminalOutcome } from '../schemas/outcome';
import type { SourceEvent, Version } from '../schemas/event';

/** An event at the door, for one sync. */
export interface NewInboxEvent {
  syncId: string;
  source: string;
  account: string;
  eventId: string;
  topic: string;
  /** Source time, ms since the epoch; null = arrival stands in. */
  occurredAt: number | null;
  /** JSON body; kept through the codec until it landed, was skipped or superseded. */
  body: SourceEvent['body'];
  workflowId: string;
}

/** `rearmed`: a redelivery of an event whose run failed; it will be tried again. */
export type Receipt = 'new' | 'duplicate' | 'rearmed';

/** A row of the inbox that was claimed for starting. */
export interface StartableEvent {
  rowId: string;
  syncId: string;
  workflowId: string;
  /** `true` after a re-arm: start with ALLOW_DUPLICATE_FAILED_ONLY instead of REJECT_DUPLICATE. */
  rearmed: boolean;
  event: SourceEvent;
}

/** The durable door: committed here = acknowledged there. */
export interface Inbox {
  /**
   * Commits all events of a delivery together (and `ignored` ones as counts); receipts in order. Concurrent calls may
   * share one statement.
   */
  receive(events: readonly NewInboxEvent[]): Promise<Receipt[]>;
  /** Counts deliveries or events that no row stands for; committed when it resolves. */
  countAtDoor(count: { syncId: string | null; source: string; account: string; reason: string; events: number }): Promise<void>;
  /**
   * Claims rows to start: new ones first come, the backlog (older than `backlogAfterMs`), oldest first, gets at most half.
   * A claim not confirmed by `markStarted` within `claimMs` is free again.
   */
  claimForStart(options: { owner: string; limit: number; claimMs: number; backlogAfterMs: number }): Promise<StartableEvent[]>;
  markStarted(rowIds: readonly string[]): Promise<void>;
  /** Start failed (Temporal unreachable): free again after `delayMs`. */
  release(rowIds: readonly string[], delayMs: number): Promise<void>;
  /** A replay is about to start this run again: its outcome is open once more. Returns false when no row stands for it. */
  reopen(workflowId: string): Promise<boolean>;
  /** Started rows without an outcome for longer than `olderThanMs`, to be checked against Temporal; each at most every `everyMs`. */
  claimForCheck(options: { olderThanMs: number; everyMs: number; limit: number }): Promise<{ rowId: string; workflowId: string; syncId: string }[]>;
  /** Wakes `listener` when events came in (LISTEN/NOTIFY); returns a stop function. Wake-ups may be lost: poll too. */
  onArrival(listener: () => void): Promise<() => Promise<void>>;
  /** Waiting to start: how many, and the age of the oldest in ms. */
  backlog(): Promise<{ rows: number; oldestAgeMs: number }>;
}

/** What became of an event, for its row. Rows of direct starts are made here. */
export interface OutcomeRow {
  syncId: string;
  source: string;
  account: string;
  eventId: string;
  topic: string;
  workflowId: string;
  runId: string;
  receivedAt: string;
  /** HMACs under which `trace` and `runs` find the event. */
  keyHmacs: string[];
  outcome: TerminalOutcome;
  code?: string;
  /** Masked. */
  cause?: string;
  /** HTTP attempts made. */
  attempts: number;
  /** Set for optional enrichment that fell back. */
  fallback?: boolean;
}

/** A record about to be written, for the fence. `vendor`, `account` and `object` name the place, `keyHmac` the record. */
export interface ClaimRequest {
  syncId: string;
  vendor: string;
  account: string;
  object: string;
  keyHmac: string;
  version: Version;
  mapVersion: number;
  /** The fields this call writes. Empty or `['*']`: the whole record (a delete, an event). */
  fields: readonly string[];
  workflowId: string;
  /** Replay or repair: send though the same version landed. */
  resendEqual?: boolean;
}

export type ClaimResult =
  /**
   * Send it, unless `claimMs` have passed since just before `claim` was called. `claim` goes back with the confirmation.
   * `ambiguous`: an earlier call was never confirmed, so it may have landed. `dropFields`: a newer version landed these;
   * send the rest.
   */
  | { kind: 'claimed'; claim: number; ambiguous: boolean; dropFields: string[] }
  /** A newer version of everything it writes has landed. */
  | { kind: 'superseded' }
  /** This very version landed before (and `mapVersion` is the same). */
  | { kind: 'landed'; vendorId: string | null }
  /** Someone else's claim is in force, or an older one must wait for a newer's fate: ask again after `untilMs` (epoch ms, this process's clock). */
  | { kind: 'wait'; untilMs: number };

/** What the vendor answered, for one claimed record. `fields` are those really sent. */
export interface Confirmation extends ClaimRequest {
  /** The number that `claim` gave: a late confirmation must not end somebody else's claim. */
  claim: number;
  /** `false` only when it certainly was not applied (refused, 429, never sent); after a timeout or 5xx, do not confirm. */
  landed: boolean;
  vendorId?: string;
}

/** What a later look at the vendor found, for one landed record. */
export interface Finding {
  syncId: string;
  vendor: string;
  account: string;
  object: string;
  keyHmac: string;
  /** The version that was looked for; findings about another one than the landed are ignored. */
  version: Version;
  result: 'verified' | FindingOutcome;
  /** The event's run, if there is one: its line shows the finding (`accepted` becomes `verified`). */
  workflowId?: string;
}

/** One row per sync × account × object × record: nothing older overwrites something newer, nothing lands twice. */
export interface Fence {
  /** One statement for the batch; results in order. No two requests of one call may have the same key. */
  claim(requests: readonly ClaimRequest[], options: { claimMs: number }): Promise<ClaimResult[]>;
  /** Confirms the batch, and in the same transaction records the outcomes of the events that ended with it. */
  confirm(confirmations: readonly Confirmation[], outcomes: readonly OutcomeRow[]): Promise<void>;
  /** `missing` and `drifted` reopen the landed version: it can be claimed again. */
  recordFindings(findings: readonly Finding[]): Promise<void>;
}

/** Filter for lists. All given parts must hold. */
export interface RunFilter {
  syncId?: string;
  outcome?: Outcome | 'open';
  code?: string;
  /** HMACs of an e-mail or external id (current and previous secret). */
  keyHmacs?: readonly string[];
  sinceMs?: number;
  /** Event or workflow id, exact. */
  id?: string;
  limit: number;
}

/** One event's line in a list. */
export interface RunLine {
  syncId: string;
  source: string;
  account: string;
  eventId: string;
  topic: string;
  workflowId: string;
  receivedAt: string;
  state: 'new' | 'claimed' | 'started' | 'closed';
  outcome: TerminalOutcome | null;
  finding: FindingOutcome | null;
  code: string | null;
  cause: string | null;
  attempts: number;
  duplicates: number;
  fallback: boolean;
  hasBody: boolean;
  closedAt: string | null;
}

/** Received = sum of outcomes + still open. */
export interface Funnel {
  syncId: string;
  received: number;
  duplicates: number;
  waitingToStart: number;
  running: number;
  outcomes: Partial<Record<TerminalOutcome, number>>;
  findings: Partial<Record<FindingOutcome, number>>;
  /** Failed and skipped outcomes by code. */
  causes: { outcome: TerminalOutcome; code: string; count: number }[];
}

/** Counts at the door that never became a row. */
export interface DoorCount {
  syncId: string | null;
  source: string;
  account: string;
  reason: string;
  count: number;
}

/** Questions the operator asks. */
export interface Queries {
  runs(filter: RunFilter): Promise<RunLine[]>;
  counts(filter: Omit<RunFilter, 'limit'>): Promise<{ outcome: TerminalOutcome | 'open'; code: string | null; count: number }[]>;
  funnel(): Promise<Funnel[]>;
  door(): Promise<DoorCount[]>;
  /** The raw event, for replay; null once its body was dropped. */
  event(workflowId: string): Promise<SourceEvent | null>;
  /** Fence rows of a record. */
  landed(keyHmacs: readonly string[]): Promise<
    {
      syncId: string;
      vendor: string;
      account: string;
      object: string;
      version: Version;
      mapVersion: number;
      vendorId: string | null;
      landedAt: string | null;
    }[]
  >;
}

/** Records outcomes of events that end without a confirmed call (invalid, skipped, failed, …). Idempotent; the last one wins. */
export interface Outcomes {
  record(rows: readonly OutcomeRow[]): Promise<void>;
  /** A run closed without an outcome (terminated, history lost). Only rows still open. */
  recordLost(rowIds: readonly string[]): Promise<void>;
}

/** Inbox, index and fence. History stays the evidence. */
export interface Ledger {
  readonly inbox: Inbox;
  readonly fence: Fence;
  readonly outcomes: Outcomes;
  readonly queries: Queries;
  /** Applies migrations. Idempotent, safe when several processes start at once. */
  migrate(): Promise<void>;
  /**
   * Deletes closed rows older than `olderThanMs` whose body was dropped; rows that can still be replayed go only after
   * `failedOlderThanMs` (never, when it is not given). The fence stays. Returns how many went.
   */
  prune(options: { olderThanMs: number; failedOlderThanMs?: number }): Promise<number>;
  /** Resolves when the database answers; rejects with what is wrong. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
