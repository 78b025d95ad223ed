import type { Json } from './json';
import type { Outcome, ResendRule } from './outcome';
import type { BudgetScope, Lane, RetryPolicy } from './plan';

/** Rows of a warehouse: a table or view by name, or a query; with the columns that count as a change. */
export interface TableSource {
  /** `schema.table`, as written in SQL. */
  table?: string;
  /** Or a `select`. Never anything that writes. */
  query?: string;
  /** Columns that name a row; their values never change meaning. */
  key: string[];
  /** Columns that are read, and whose change is a change of the row. */
  columns: string[];
  /** Boolean column: only rows where it is true are there at all. */
  consent?: string;
}

/** What happens at the vendor when a row is gone from the source. */
export type OnRemove = 'ignore' | 'archive' | 'clear' | 'remove';

/** When a run waits for somebody's approval. */
export interface TableGuards {
  /** Mass delete: removals above this part of the rows known … */
  removedPart: number;
  /** … and above this many. */
  removedRows: number;
  /** First run: more rows than this. */
  firstRows: number;
  /** Full resync: more rows than this. */
  fullRows: number;
  /** Rows without a usable key: above this part of the rows read. */
  badKeysPart: number;
  /** How long a run waits for approval, milliseconds. */
  expireAfterMs: number;
}

/** A table sync, compiled to plain data: the input of its workflow, visible in the Web UI as the policy in force. */
export interface TablePlan {
  syncId: string;
  owner: string;
  /** `name@version`. */
  contract: string;
  warehouse: { name: string; engine: WarehouseEngine };
  source: TableSource;
  /** Destination vendor, account, operation. */
  vendor: string;
  account: string;
  operation: string;
  object: string;
  maxBatch: number;
  maxBatchBytes: number;
  resend: ResendRule;
  onRemove: OnRemove;
  /** Rows are members of an audience: who leaves goes first, and who changes leaves as what they were. @default false */
  membership?: boolean;
  /** Part of every fingerprint: raised, every row is sent again. */
  mapVersion: number;
  scopes: BudgetScope[];
  retry: RetryPolicy;
  budget: { share?: number; lane: Lane };
  guards: TableGuards;
  chunkRows: number;
  /** Chunks under way at a time. */
  chunksAtOnce: number;
  /** What a start does that meets a run: nothing, or one more run after it. */
  overlap: 'skip' | 'buffer';
}

export type WarehouseEngine = 'postgres' | 'duckdb';

/** Input of `tableSync`. */
export interface TableRunInput {
  plan: TablePlan;
  /** Send every row, though it did not change. */
  full?: boolean;
  /** Try rows again that the vendor or the contract refused and that did not change since. */
  retryRejected?: boolean;
  /** What a run carries over continue-as-new. */
  carried?: TableCarried;
}

/** A run's memory across continue-as-new. */
export interface TableCarried {
  runId: string;
  counts: PlanCounts;
  sums: TableSums;
  startedAtMs: number;
  /** The run that follows this one. */
  again: TableRunInput | null;
  approvals: Approval[];
}

/** What the chunks of a run came to so far. */
export interface TableSums {
  nextChunk: number;
  /** Chunks that are held, with when to try again. */
  held: HeldChunk[];
  outcomes: OutcomeCounts;
  /** Rows of ended chunks. */
  ended: number;
  chunksEnded: number;
}

/** A chunk that waits: nothing of it is in flight. */
export interface HeldChunk {
  chunk: number;
  cause: TableHeldCause;
  untilMs: number;
}

export type TableHeldCause = 'budget' | 'paused' | 'off-peak' | 'breaker' | 'credentials' | 'lease' | 'warehouse' | 'retry' | 'job' | 'slice';

/** What the diff found. `read` = added + changed + unchanged + resent + resting + badKeys. */
export interface PlanCounts {
  /** Rows of the source. */
  read: number;
  /** Rows known from earlier runs. */
  known: number;
  added: number;
  changed: number;
  removed: number;
  unchanged: number;
  /** Unchanged, sent again because of a full resync. */
  resent: number;
  /** Refused before, and not changed since: not tried again. */
  resting: number;
  /** Rows without a usable key, by why. Never sent. */
  badKeys: { null: number; duplicate: number; long: number };
  /** Rows this run is to bring to an outcome. */
  planned: number;
  chunks: number;
  /** Chunks that must have ended before the others begin. @default those that write */
  firstChunks?: number;
  /** Rows of `syncline.suppression` whose `sync_id` is no declared audience: they keep nobody out. */
  suppressNobody?: { rows: number; syncs: string[] };
}

export type OutcomeCounts = Partial<Record<Outcome, number>>;

/** Why a run waits for approval. */
export type GuardName = 'mass-delete' | 'full-resync' | 'first-run' | 'bad-keys';

/** One guard that a plan tripped, in plain words. */
export interface TrippedGuard {
  guard: GuardName;
  why: string;
  /** The number it is about: an approval holds while it does not grow by more than a tenth. */
  rows: number;
}

/** Somebody's word on a waiting run. */
export interface Decision {
  decision: 'approve' | 'reject';
  reason: string;
  by: string;
}

/** An approval, and what was approved. */
export interface Approval extends Decision {
  at: string;
  guards: TrippedGuard[];
}

export interface PlanRunInput {
  plan: TablePlan;
  runId: string;
  workflowId: string;
  full: boolean;
  retryRejected: boolean;
}

/** One row that did not land, as history keeps it. No personal data: key as HMAC, masked words. */
export interface RowException {
  keyHmac: string;
  outcome: Outcome;
  code: string;
  cause: string;
}

export interface SendChunkInput {
  plan: TablePlan;
  runId: string;
  chunk: number;
  /** Held for longer than `retry.expireAfter`: what is open ends `expired`. */
  expire?: boolean;
}

/** What became of a chunk. */
export type SendChunkResult =
  | { kind: 'done'; end: ChunkEnd }
  /** Some rows are open and nothing is in flight. */
  | { kind: 'held'; cause: TableHeldCause; untilMs: number };

/** A chunk all of whose rows have an outcome. */
export interface ChunkEnd {
  rows: number;
  outcomes: OutcomeCounts;
  /** Rows that did not land, the first of them in full; all stand in `run_rows`. */
  exceptions: RowException[];
  /** How many more exceptions there are. */
  more: number;
  /** Every row's key HMAC (6 bytes) and outcome (1 byte), base64. */
  packed: string;
}

export interface CloseRunInput {
  plan: TablePlan;
  runId: string;
  state: RunEndState;
  /** The sums of the workflow, to be compared with those of the warehouse. */
  outcomes: OutcomeCounts;
  approvals: Approval[];
}

/** `refused`, `expired`: of the approval. `failed`: the source can't be read, say. */
export type RunEndState = 'done' | 'cancelled' | 'refused' | 'expired' | 'failed';

/** The ledger equation of a run: planned = sum of outcomes, in the warehouse and in history alike. */
export interface RunEquation {
  planned: number;
  outcomes: OutcomeCounts;
  holds: boolean;
  /** Outcomes that history counted differently from the warehouse. */
  differs?: string;
  /** Why rows did not land, the most frequent first: what is still owed, in the vendor's words or ours. */
  causes?: RunCause[];
  /** What is owed after this run, by it and by those before: rows refused, removals not confirmed. Removals first, then the largest. */
  owed?: RowDebt[];
  /** Of an audience: which part of those handed over the vendor knows as people. */
  matched?: MatchRate;
}

/** One reason for which rows of a run did not land. */
export interface RunCause {
  outcome: Outcome;
  code: string;
  /** Of one of the rows, masked. */
  cause: string;
  rows: number;
}

/** Rows the vendor does not have as the source has them, or still has although they left. */
export interface RowDebt extends RunCause {
  /** `remove`: they should be gone. */
  op: 'upsert' | 'remove';
  /** Since when the first of them is owed, ms since the epoch. */
  sinceMs: number;
}

/** 0 to 1; a range where the vendor says no more. */
export interface MatchRate {
  least: number;
  most: number;
  /** The last run's `most`; null = none had any. */
  before: number | null;
}

/** Result of `tableSync`. */
export interface TableRunResult {
  runId: string;
  state: RunEndState;
  counts: PlanCounts;
  equation: RunEquation;
  approvals: Approval[];
}

/** What a run looks like now. */
export interface TableRunView {
  runId: string;
  syncId: string;
  /** The lane this run was started in. Workers of older versions leave it out. */
  lane?: Lane;
  state: 'planning' | 'waiting' | 'running' | 'closing' | RunEndState;
  startedAtMs: number;
  counts: PlanCounts | null;
  outcomes: OutcomeCounts;
  /** Rows of ended chunks. */
  ended: number;
  chunksEnded: number;
  held: HeldChunk[];
  waitingFor: TrippedGuard[];
  /** When the wait for approval ends. */
  expiresAtMs: number | null;
  approvals: Approval[];
  /** One more run follows this one. */
  again: boolean;
  equation: RunEquation | null;
}

/** Values of a row by column, as both engines give them (docs/reverse-etl.md has the table of types). */
export type RowValues = Record<string, Json>;
