import { ApplicationFailure } from '@temporalio/common';
import type { BudgetScope } from '../schemas/plan';
import { scopesOf, type Spender, type Sync } from '../syncs/define-sync';

/** The declared sync of a plan. A worker built without it must not decide the record's fate: retried, and surfaced. */
export function syncOf(syncs: ReadonlyMap<string, Sync>, syncId: string): Sync {
  const sync = syncs.get(syncId);
  if (sync) return sync;
  throw ApplicationFailure.create({
    message: `this worker does not know sync "${syncId}"; deploy a worker that lists it in syncs/index.ts`,
    type: 'UNKNOWN_SYNC',
    nonRetryable: false,
  });
}

/**
 * The plan with the budget scopes that are declared today. A run keeps the plan it started with; were its scopes no longer
 * declared, the budget would know no limits for it, and records of one call would spend from different budgets.
 */
export function withTodaysScopes<P extends { account: string; scopes: readonly BudgetScope[] }>(plan: P, sync: Pick<Spender, 'to'>): P {
  return sync.to.account.name === plan.account ? { ...plan, scopes: scopesOf(sync) } : plan;
}
