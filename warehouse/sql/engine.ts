import type { Column, Dialect } from './dialect';

/** Runs one statement. Values come as docs/reverse-etl.md says, whatever the engine. */
export type Run = <Row = Record<string, unknown>>(sql: string, values?: unknown[]) => Promise<Row[]>;

export interface TransactionOptions {
  /** The user's data is looked at. */
  source?: boolean;
  /** Milliseconds; a diff of many rows takes longer than a commit. @default 60_000 */
  timeoutMs?: number;
}

/** One kind of database, as the shared statements need it. Errors come out as `WarehouseError` and `WarehouseBusy` where they are. */
export interface Engine {
  readonly dialect: Dialect;
  /** All or nothing. */
  transaction<T>(work: (run: Run) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** One statement on its own. */
  run: Run;
  /** Columns of what stands behind a `from`. */
  describe(run: Run, from: string): Promise<Column[]>;
  /** Makes our tables, or says whose right is missing. */
  prepare(): Promise<void>;
  stop(): Promise<void>;
}
