import type { Outcome } from '../schemas/outcome';
import type { Approval, PlanCounts, RowValues, RunEndState, RunEquation, TableSource } from '../schemas/table';

/**
 * Where a user's rows are, and our memory of them beside. The user's data is only read. Ours is a schema `syncline` in a
 * PostgreSQL warehouse, and a file of its own beside a DuckDB one; its tables are documented in docs/reverse-etl.md.
 */
export interface Warehouse {
  readonly name: string;
  /** Makes our tables where they are missing. Everything else does so too, when it is first. */
  open(): Promise<void>;
  /** Compares the source with what landed and writes down what is to be done. Run again, it plans anew. */
  plan(request: PlanRequest): Promise<PlanCounts>;
  /** How many rows of `suppression` name each sync; those for every sync are not told. */
  suppressions(): Promise<{ syncId: string; rows: number }[]>;
  /** Takes a chunk for `ms`, or prolongs it: of two senders of one chunk one waits. */
  lease(chunk: ChunkRef, token: string, ms: number): Promise<{ held: true } | { held: false; waitMs: number }>;
  release(chunk: ChunkRef, token: string): Promise<void>;
  /** Rows of the chunk that have no outcome, behind position `after`, with their current values. */
  read(request: ReadRequest): Promise<OpenRow[]>;
  /** Writes rows' ends in one commit. False: the lease was lost, and nothing was written. */
  commit(chunk: ChunkRef, token: string, ends: readonly RowEnd[]): Promise<boolean>;
  /** Moves a finished chunk's rows into what is known of them, and tells their ends. Harmless when repeated. */
  finish(chunk: ChunkRef & { syncId: string }): Promise<FinishedRow[]>;
  /** What is done with the chunk's rows, and the vendor's jobs that were handed over for them. */
  chunk(chunk: ChunkRef): Promise<{ op: OpenRow['op']; jobs: ChunkJobs }>;
  /** False: the lease was lost, and nothing was written. */
  setJobs(chunk: ChunkRef, token: string, jobs: ChunkJobs): Promise<boolean>;
  /** A run waits for approval, or goes on. */
  mark(runId: string, state: string, waitingFor: string | null): Promise<void>;
  /** Ends a run: open rows get `open`, then everything is counted and kept. */
  close(request: CloseRequest): Promise<ClosedRun>;
  stop(): Promise<void>;
}

export interface ChunkRef {
  runId: string;
  chunk: number;
}

/** The vendor's jobs of a chunk, by our names of them. */
export type ChunkJobs = Readonly<Record<string, ChunkJob>>;

/** What is known of one job. */
export interface ChunkJob {
  /** The vendor's name of it. */
  id: string;
  rows: number;
  /** Which part of its rows the vendor knows as people, once it said so. */
  matched?: { least: number; most: number };
}

export interface PlanRequest {
  syncId: string;
  runId: string;
  workflowId: string;
  source: TableSource;
  mapVersion: number;
  /** Unchanged rows are planned too. */
  full: boolean;
  retryRejected: boolean;
  /** Removed rows are planned, not only counted. */
  removals: boolean;
  /** Removals come first, and a changed row is also one. */
  membership?: boolean;
  chunkRows: number;
}

export interface ReadRequest extends ChunkRef {
  syncId: string;
  source: TableSource;
  mapVersion: number;
  /** Rows to be removed come with their values, where they are still there. */
  membership?: boolean;
  after: number;
  limit: number;
}

/** A planned row as it is now. */
export interface OpenRow {
  /** Position in its chunk. */
  n: number;
  key: string;
  op: 'upsert' | 'remove';
  change: 'added' | 'changed' | 'removed' | 'resent';
  attempts: number;
  /** Rows the source has under this key now: 0 = it vanished, 2 = its key is no longer unique. */
  found: number;
  /** Of `values`. */
  fingerprint: string | null;
  values: RowValues | null;
  /** What was known of it before: its key and id at the vendor, and the fingerprint that landed. */
  known: { targetKey: string | null; vendorId: string | null; fingerprint: string } | null;
  /** With `remove`: another row of this sync writes the same record. */
  shared: boolean;
  /** Handed over in a job (our name of it) whose end is not known yet, and as what. */
  inJob: { name: string; targetKey: string; fingerprint: string | null } | null;
}

/** Of a known row that was handed over, and nobody knows whether it landed: no row has it. */
export const unsureFingerprint = '00000000-0000-0000-0000-000000000000';

/** `code` of a row while the vendor's job that holds it is under way; its `cause` is our name of the job. */
export const inJobCode = 'IN_JOB';

/** How a row left a call. Without `outcome` it stays open, with one attempt more. */
export interface RowEnd {
  n: number;
  outcome: Outcome | null;
  code?: string | undefined;
  cause?: string | undefined;
  attempts: number;
  /** Of what was sent. */
  fingerprint?: string | null | undefined;
  targetKey?: string | null | undefined;
  vendorId?: string | null | undefined;
}

export interface FinishedRow {
  key: string;
  outcome: Outcome;
  code: string | null;
  cause: string | null;
}

export interface CloseRequest {
  syncId: string;
  runId: string;
  state: RunEndState | 'lost';
  /** Outcome of rows that have none. */
  open: Outcome;
  approvals: readonly Approval[];
}

/** What became of a run's rows. */
export type ClosedRun = Required<Pick<RunEquation, 'planned' | 'outcomes' | 'causes' | 'owed'>> & Pick<RunEquation, 'matched'>;

/** The warehouse can't do what was asked, and won't until somebody changes something. */
export class WarehouseError extends Error {
  override readonly name = 'WarehouseError';
  constructor(
    /** Stable: `WAREHOUSE_RIGHTS`, `SOURCE_UNKNOWN`, `COLUMN_UNKNOWN`, `COLUMN_TYPE`, `QUERY_INVALID`. */
    readonly code: string,
    message: string,
    /** Names of tables and columns in the message: they may be shown, whatever else of it is hidden. */
    readonly names: readonly string[] = [],
  ) {
    super(message);
  }
}

/** The warehouse does not answer, or somebody else has its file: wait and try again. */
export class WarehouseBusy extends Error {
  override readonly name = 'WarehouseBusy';
}
