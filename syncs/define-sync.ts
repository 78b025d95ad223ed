import type { Contract } from '../schemas/contract';
import { contractRef } from '../schemas/contract';
import type { BudgetScope, Lane, RetryPolicy, SyncPlan } from '../schemas/plan';
import type { Enrichment, JobOperation, Operation } from '../connectors/connector';
import { allBudgets, budgetScopes, type SourceAccount, type VendorAccount } from './accounts-api';
import { durationMs, type Duration } from './duration';

/** Events of one source account, by topic. Several topics may share a sync. */
export interface WebhookTrigger {
  readonly kind: 'webhook';
  readonly account: SourceAccount;
  readonly topics: readonly string[];
}

/** `on: webhook(shop, 'customers/create', 'customers/update')` */
export function webhook(account: SourceAccount, ...topics: [string, ...string[]]): WebhookTrigger {
  return { kind: 'webhook', account, topics };
}

/** An operation on a particular account. */
export interface Destination<I> {
  readonly operation: Operation<I>;
  readonly account: VendorAccount;
}

/** A job operation on a particular account: for tables, whose rows can wait. */
export interface JobDestination<I> {
  readonly operation: JobOperation<I>;
  readonly account: VendorAccount;
}

/** `to: to(upsertContacts, { account: main })`. A job operation makes a destination of table syncs only. */
export function to<I>(operation: Operation<I>, options: { account: VendorAccount }): Destination<I>;
export function to<I>(operation: JobOperation<I>, options: { account: VendorAccount }): JobDestination<I>;
export function to<I>(operation: Operation<I> | JobOperation<I>, options: { account: VendorAccount }): Destination<I> | JobDestination<I> {
  return { operation, account: options.account } as Destination<I> | JobDestination<I>;
}

/** The mapping's way to say that a record is not for this destination. Ends `skipped`, with the reason. */
export class Skip {
  constructor(readonly reason: string) {}
}

/** Ends the record as `skipped`. The reason is shown in lists: no personal data in it. */
export function skip(reason: string): Skip {
  return new Skip(reason);
}

/** Enrichment that falls back instead of failing the record. */
export interface OptionalEnrichment<T, E> {
  readonly enrichment: Enrichment<never, unknown>;
  readonly account: VendorAccount;
  /** What to ask the enrichment with; null = nothing to ask, use the fallback. */
  readonly ask: (event: T) => unknown;
  readonly fallback: E;
  readonly timeoutMs: number;
}

/** `enrich: optional(leadScore, { account: scoring, ask: (c) => ({ email: c.email }), fallback: null, timeout: '2s' })` */
export function optional<T, I, O, F>(
  enrichment: Enrichment<I, O>,
  options: { account: VendorAccount; ask: (event: T) => I | null; fallback: F; timeout?: Duration },
): OptionalEnrichment<T, O | F> {
  return {
    enrichment: enrichment,
    account: options.account,
    ask: options.ask,
    fallback: options.fallback,
    timeoutMs: durationMs(options.timeout ?? '2s'),
  };
}

/** Retry policy as declared; see {@link RetryPolicy} for what each means. */
export interface RetryOptions {
  /** @default 5 */
  maxAttempts?: number;
  /** @default '100ms' */
  initialInterval?: Duration;
  /** @default '1m' */
  maxInterval?: Duration;
  /** @default '3d' */
  expireAfter?: Duration;
}

/** Part of the account's budget this sync may count on. */
export interface BudgetOptions {
  /** Guaranteed share, 0..1; idle share may be borrowed. Shares of an account sum to at most 1. */
  share?: number;
  /** @default 'live' for webhooks */
  lane?: Lane;
}

/** A sync as its author writes it. */
export interface SyncOptions<T, I, E> {
  /** Part of workflow ids: never renamed. Lower-case words with dashes; the name of its folder. */
  id: string;
  /** The team that answers for it. */
  owner: string;
  description?: string;
  on: WebhookTrigger;
  contract: Contract<T>;
  to: Destination<I>;
  enrich?: OptionalEnrichment<NoInfer<T>, E>;
  /** Pure: event in, record out, or `skip(reason)`. A throw ends the record as `failed`, code `MAPPING_ERROR`. */
  map: (event: NoInfer<T>, enrichment: NoInfer<E>) => NoInfer<I> | Skip;
  /** Raise when `map` writes something else for the same input, so that a replay sends it again. @default 1 */
  mapVersion?: number;
  retry?: RetryOptions;
  budget?: BudgetOptions;
}

/** A declared sync, types erased: what registries, gateways and activities work with. */
export interface Sync {
  readonly kind: 'sync';
  readonly id: string;
  readonly owner: string;
  readonly description: string;
  readonly on: WebhookTrigger;
  readonly contract: Contract;
  readonly to: Destination<unknown>;
  readonly enrich?: OptionalEnrichment<unknown, unknown>;
  readonly map: (event: unknown, enrichment: unknown) => unknown;
  readonly mapVersion: number;
  readonly retry: RetryPolicy;
  readonly budget: { share?: number; lane: Lane };
}

/** Refuses an id that can't be part of ids and paths. `where`: the function that was called. */
export function checkId(where: string, id: string): void {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(id)) {
    throw new Error(`${where}: id "${id}" is not lower-case words joined by dashes (it becomes part of ids and paths)`);
  }
}

/** Refuses a share that is no part. */
export function checkBudget(where: string, id: string, budget: BudgetOptions | undefined): void {
  const share = budget?.share;
  if (share !== undefined && !(share > 0 && share <= 1)) throw new Error(`${where}: ${id} has budget.share ${share}; expected more than 0 and at most 1`);
}

/** The policy as declared, with what is not said filled in. */
export function retryPolicy(where: string, id: string, retry: RetryOptions = {}): RetryPolicy {
  const maxAttempts = retry.maxAttempts ?? 5;
  if (!Number.isInteger(maxAttempts) || maxAttempts < 1) {
    throw new Error(`${where}: ${id} has retry.maxAttempts ${maxAttempts}; expected a whole number of at least 1`);
  }
  return {
    maxAttempts,
    initialIntervalMs: durationMs(retry.initialInterval ?? '100ms'),
    maxIntervalMs: durationMs(retry.maxInterval ?? '1m'),
    expireAfterMs: durationMs(retry.expireAfter ?? '3d'),
  };
}

/** Declares a sync. Source fields, enrichment and target type are checked by the compiler. */
export function defineSync<T, I, E = undefined>(options: SyncOptions<T, I, E>): Sync {
  checkId('defineSync', options.id);
  checkBudget('defineSync', options.id, options.budget);
  const share = options.budget?.share;
  return {
    kind: 'sync',
    id: options.id,
    owner: options.owner,
    description: options.description ?? '',
    on: options.on,
    contract: options.contract,
    to: options.to,
    ...(options.enrich ? { enrich: options.enrich as unknown as OptionalEnrichment<unknown, unknown> } : {}),
    map: options.map as (event: unknown, enrichment: unknown) => unknown,
    mapVersion: options.mapVersion ?? 1,
    retry: retryPolicy('defineSync', options.id, options.retry),
    budget: { lane: options.budget?.lane ?? 'live', ...(share === undefined ? {} : { share }) },
  };
}

/** A declaration that spends from budgets: a sync of events or of rows. */
export type Spender = Pick<Sync, 'id' | 'budget' | 'enrich'> & { to: Destination<unknown> | JobDestination<unknown> };

/** Every vendor account that some sync writes to or asks. */
export function vendorAccounts(syncs: readonly Pick<Spender, 'to' | 'enrich'>[]): VendorAccount[] {
  const accounts = syncs.flatMap(({ to, enrich }) => [to.account, ...(enrich ? [enrich.account] : [])]);
  return [...new Map(accounts.map((account) => [`${account.connector.vendor}/${account.name}`, account])).values()];
}

/** What a record of the sync needs to be sent: its calls have a permit from each of these budgets. */
export function scopesOf({ to }: Pick<Spender, 'to'>): BudgetScope[] {
  return budgetScopes(to.account, to.operation.quota);
}

/**
 * Every budget a sync may spend from: all of the accounts it writes to and asks. Later requests of an operation name quotas of
 * their own, and which ones is declared nowhere.
 */
export function budgetsOf(sync: Pick<Spender, 'to' | 'enrich'>): BudgetScope[] {
  return vendorAccounts([sync]).flatMap((account) => allBudgets(account).map(({ scope }) => scope));
}

/** The sync as plain data: input of its workflow, policy in force in the Web UI. */
export function compilePlan(sync: Sync): SyncPlan {
  const { operation, account } = sync.to;
  return {
    syncId: sync.id,
    owner: sync.owner,
    contract: contractRef(sync.contract),
    source: { vendor: sync.on.account.source.vendor, account: sync.on.account.name, topics: [...sync.on.topics] },
    vendor: operation.connector.vendor,
    account: account.name,
    operation: operation.name,
    object: operation.object,
    maxBatch: operation.maxBatch,
    maxBatchBytes: operation.maxBatchBytes,
    resend: operation.resend,
    mapVersion: sync.mapVersion,
    scopes: scopesOf(sync),
    retry: sync.retry,
    budget: sync.budget,
    ...(sync.enrich
      ? {
          enrich: {
            name: sync.enrich.enrichment.name,
            vendor: sync.enrich.enrichment.connector.vendor,
            account: sync.enrich.account.name,
            timeoutMs: sync.enrich.timeoutMs,
          },
        }
      : {}),
  };
}
