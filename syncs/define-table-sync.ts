import { z } from 'zod';
import { contractRef, type Contract } from '../schemas/contract';
import type { Lane, RetryPolicy } from '../schemas/plan';
import type { OnRemove, TableGuards, TablePlan, TableSource } from '../schemas/table';
import type { JobOperation, Operation } from '../connectors/connector';
import {
  checkBudget,
  checkId,
  retryPolicy,
  scopesOf,
  type BudgetOptions,
  type Destination,
  type JobDestination,
  type RetryOptions,
  type Skip,
} from './define-sync';
import { durationMs, type Duration } from './duration';
import type { WarehouseAccount } from './warehouses-api';

/** Rows of a warehouse. */
export interface TableTrigger {
  readonly kind: 'table';
  readonly warehouse: WarehouseAccount;
  readonly source: Omit<TableSource, 'columns'> & { columns?: string[] };
}

/**
 * `from: table(warehouse, 'crm.customers', { key: 'id' })`, or a query: `table(warehouse, { query: 'select …' }, { key: ['tenant', 'id'] })`.
 *
 * @param options.columns what is read, and what counts as a change. @default the contract's fields
 */
export function table(
  warehouse: WarehouseAccount,
  source: string | { query: string },
  options: { key: string | readonly string[]; columns?: readonly string[] },
): TableTrigger {
  return {
    kind: 'table',
    warehouse,
    source: {
      ...(typeof source === 'string' ? { table: source } : { query: source.query }),
      key: typeof options.key === 'string' ? [options.key] : [...options.key],
      ...(options.columns ? { columns: [...options.columns] } : {}),
    },
  };
}

/** What an operation that removes records is given. */
export interface RemovedRecord {
  /** The record's key at the vendor, in its normal form. */
  key: string;
  /** The vendor's id, where it told one. */
  vendorId: string | null;
}

/** What happens at the vendor when a row is gone. */
export interface Removal<I = unknown> {
  readonly onRemove: Exclude<OnRemove, 'ignore'>;
  /** @default the one that writes */
  readonly operation?: Operation<never> | JobOperation<never>;
  /** What that operation is given. @default the record as it is */
  readonly write?: (record: RemovedRecord) => I;
}

/** `onRemove: archive(archiveContacts)`: the vendor's own way to put a record away. */
export function archive(operation: Operation<RemovedRecord> | JobOperation<RemovedRecord>): Removal<never> {
  return { onRemove: 'archive', operation: operation as unknown as Operation };
}

/** `onRemove: clear((email) => ({ email, properties: { plan: '' } }))`: the record stays, what this sync wrote is emptied. */
export function clear<I>(write: (key: string) => I): Removal<I> {
  return { onRemove: 'clear', write: ({ key }) => write(key) };
}

/** Limits above which a run waits for `syncline approve`. */
export interface GuardOptions {
  /** Mass delete: more removals than this part of the known rows … @default 0.1 */
  removedPart?: number;
  /** … and more than this many. @default 100 */
  removedRows?: number;
  /** A first run of more rows. @default 10_000 */
  firstRows?: number;
  /** A full resync of more rows. @default 0: always asks */
  fullRows?: number;
  /** Rows without a usable key: more than this part. @default 0.01 */
  badKeysPart?: number;
  /** @default '3d' */
  expireAfter?: Duration;
}

/** When a table sync runs by itself: every so often, or at times of a cron expression. */
export interface ScheduleOptions {
  every?: Duration;
  /** Five fields, in `timeZone`. */
  cron?: string;
  /** @default 'UTC' */
  timeZone?: string;
}

/** A table sync as its author writes it. */
export interface TableSyncOptions<T, I> {
  /** Part of workflow ids: never renamed. */
  id: string;
  owner: string;
  description?: string;
  from: TableTrigger;
  contract: Contract<T>;
  to: Destination<I> | JobDestination<I>;
  /** Pure: row in, record out, or `skip(reason)`. */
  map: (row: NoInfer<T>) => NoInfer<I> | Skip;
  /** @default 'ignore' */
  onRemove?: 'ignore' | Removal<NoInfer<I>>;
  /** Raise when `map` writes something else for the same row: every row is sent again. @default 1 */
  mapVersion?: number;
  guards?: GuardOptions;
  /** @default none: started by `syncline table run` */
  schedule?: ScheduleOptions;
  /** What a start does that meets a run: nothing, or one more run after it. @default 'skip' */
  overlap?: 'skip' | 'buffer';
  /** Rows per chunk: one activity, some nine bytes of history a row; with a job operation, one job. @default rows of fifty calls, 2_000 to 5_000; of a job as many as it takes, up to 20_000 */
  chunkRows?: number;
  /** Chunks under way at a time. @default 2 */
  chunksAtOnce?: number;
  retry?: RetryOptions;
  budget?: BudgetOptions;
}

/** A declared table sync, types erased. */
export interface TableSync {
  readonly kind: 'table-sync';
  readonly id: string;
  readonly owner: string;
  readonly description: string;
  readonly from: TableTrigger;
  readonly source: TableSource;
  readonly contract: Contract;
  readonly to: Destination<unknown> | JobDestination<unknown>;
  readonly map: (row: unknown) => unknown;
  readonly removal: Removal | null;
  /** Rows are members of an audience ({@link defineAudience}). */
  readonly membership: boolean;
  readonly mapVersion: number;
  readonly guards: TableGuards;
  readonly schedule: { every?: number; cron?: string; timeZone: string } | null;
  readonly overlap: 'skip' | 'buffer';
  readonly chunkRows: number;
  readonly chunksAtOnce: number;
  readonly retry: RetryPolicy;
  readonly budget: { share?: number; lane: Lane };
}

/** Declares a table sync: rows of a warehouse, written to a vendor. */
export function defineTableSync<T, I>(options: TableSyncOptions<T, I>): TableSync {
  const { id, from, guards = {}, schedule } = options;
  checkId('defineTableSync', id);
  checkBudget('defineTableSync', id, options.budget);
  const columns = from.source.columns ?? contractFields(options);
  const removal = options.onRemove === undefined || options.onRemove === 'ignore' ? null : options.onRemove;
  if (schedule && (schedule.every === undefined) === (schedule.cron === undefined))
    throw new Error(`defineTableSync: ${id} has a schedule with both or neither of "every" and "cron"; expected one`);
  const share = options.budget?.share;
  return {
    kind: 'table-sync',
    id,
    owner: options.owner,
    description: options.description ?? '',
    from,
    source: { ...from.source, columns },
    contract: options.contract,
    to: options.to,
    map: options.map as (row: unknown) => unknown,
    removal,
    membership: false,
    mapVersion: count(id, 'mapVersion', options.mapVersion ?? 1),
    guards: {
      removedPart: guards.removedPart ?? 0.1,
      removedRows: guards.removedRows ?? 100,
      firstRows: guards.firstRows ?? 10_000,
      fullRows: guards.fullRows ?? 0,
      badKeysPart: guards.badKeysPart ?? 0.01,
      expireAfterMs: durationMs(guards.expireAfter ?? '3d'),
    },
    schedule: schedule
      ? { timeZone: schedule.timeZone ?? 'UTC', ...(schedule.cron === undefined ? { every: durationMs(schedule.every!) } : { cron: schedule.cron }) }
      : null,
    overlap: options.overlap ?? 'skip',
    chunkRows: count(id, 'chunkRows', options.chunkRows ?? defaultChunkRows(options.to.operation), mostChunkRows),
    chunksAtOnce: count(id, 'chunksAtOnce', options.chunksAtOnce ?? 2, 20),
    retry: retryPolicy('defineTableSync', id, options.retry),
    budget: { lane: options.budget?.lane ?? 'scheduled', ...(share === undefined ? {} : { share }) },
  };
}

/** What an activity reads and holds at a time is bounded by it. */
const mostChunkRows = 20_000;

/** A job is as large as the vendor takes it. Else some fifty calls: between two chunks the vendor waits for us, and progress shows when one ends. */
function defaultChunkRows(operation: { kind: 'operation'; maxBatch: number } | { kind: 'job'; maxRows: number }): number {
  if (operation.kind === 'job') return Math.min(mostChunkRows, operation.maxRows);
  return Math.max(2_000, Math.min(5_000, 50 * operation.maxBatch));
}

function count(id: string, name: string, value: number, most = Number.MAX_SAFE_INTEGER): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new Error(`defineTableSync: ${id} has ${name} ${value}; expected a whole number from 1 to ${most}`);
}

function contractFields({ id, contract }: { id: string; contract: Pick<Contract, 'schema'> }): string[] {
  if (contract.schema instanceof z.ZodObject) return Object.keys(contract.schema.shape);
  throw new Error(`defineTableSync: ${id} names no columns, and its contract is no z.object; expected table(…, { columns: […] })`);
}

/** The table sync as plain data: input of its workflow, policy in force in the Web UI. */
export function compileTablePlan(sync: TableSync): TablePlan {
  const { operation, account } = sync.to;
  return {
    syncId: sync.id,
    owner: sync.owner,
    contract: contractRef(sync.contract),
    warehouse: { name: sync.from.warehouse.name, engine: sync.from.warehouse.engine },
    source: sync.source,
    vendor: operation.connector.vendor,
    account: account.name,
    operation: operation.name,
    object: operation.object,
    maxBatch: operation.kind === 'job' ? operation.maxRows : operation.maxBatch,
    maxBatchBytes: operation.kind === 'job' ? operation.maxBytes : operation.maxBatchBytes,
    resend: operation.resend,
    onRemove: sync.removal?.onRemove ?? 'ignore',
    ...(sync.membership ? { membership: true } : {}),
    mapVersion: sync.mapVersion,
    scopes: scopesOf(sync),
    retry: sync.retry,
    budget: sync.budget,
    guards: sync.guards,
    chunkRows: sync.chunkRows,
    chunksAtOnce: sync.chunksAtOnce,
    overlap: sync.overlap,
  };
}

/** Every warehouse that some table sync reads. */
export function warehouseAccounts(tableSyncs: readonly TableSync[]): WarehouseAccount[] {
  const accounts = tableSyncs.map(({ from }) => from.warehouse);
  return [...new Map(accounts.map((account) => [account.name, account])).values()];
}
