import type { ResendRule } from './outcome';

/** Order of service inside a budget. */
export const lanes = ['live', 'scheduled', 'backfill', 'replay'] as const;
export type Lane = (typeof lanes)[number];
/** All but the first: work in bulk, which can wait. */
export const bulkLanes = lanes.filter((lane) => lane !== 'live');

/** What a vendor counts a quota by, e.g. `{ vendor: 'hubspot', scope: 'main' }` for one portal. */
export interface BudgetScope {
  vendor: string;
  scope: string;
}

/** As commands take it and maps are keyed by: `vendor/scope`. */
export function budgetName({ vendor, scope }: BudgetScope): string {
  return `${vendor}/${scope}`;
}

/** Retry policy in force; all times in milliseconds. Waiting for budget uses no attempt. */
export interface RetryPolicy {
  /** Attempts counting the first, for the vendor's 429, 5xx and network errors. */
  maxAttempts: number;
  /** Full jitter over `initialIntervalMs · 2^n`; a vendor's Retry-After wins. */
  initialIntervalMs: number;
  /** Cap of one wait. */
  maxIntervalMs: number;
  /** How long a record may be held before it ends `expired`. */
  expireAfterMs: number;
}

/** A sync, compiled to plain data: the input of its workflow, visible in the Web UI as the policy in force. */
export interface SyncPlan {
  syncId: string;
  owner: string;
  /** `name@version`. */
  contract: string;
  source: { vendor: string; account: string; topics: string[] };
  /** Destination vendor, account, operation. */
  vendor: string;
  account: string;
  operation: string;
  /** What the operation writes, e.g. `contact`: part of the fence's key. */
  object: string;
  maxBatch: number;
  maxBatchBytes: number;
  resend: ResendRule;
  /** Raised when the mapping changes what is written for the same input. */
  mapVersion: number;
  scopes: BudgetScope[];
  retry: RetryPolicy;
  budget: { share?: number; lane: Lane };
  /** Optional enrichment between contract and map. */
  enrich?: { name: string; vendor: string; account: string; timeoutMs: number };
}
