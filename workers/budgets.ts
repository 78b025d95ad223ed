import type { Client } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { performance } from 'node:perf_hooks';
import type { Logger } from 'pino';
import { ConfigError } from '../platform/config';
import type { BudgetScope } from '../schemas/plan';
import type { VendorAccount } from '../syncs/accounts-api';
import { checkLimits, checkShares } from '../workflows/budget/validate';
import { vendorTaskQueue } from '../workflows/ids';
import { createBacklog } from './gate/backlog';
import { DurableGate } from './gate/durable-gate';
import { createLeaseClient } from './gate/lease-client';
import { vendorAccounts, type Spender } from './links';

/** What the syncs declare of each budget scope. Every mistake is named at once. */
export function declaredBudgets(
  syncs: readonly Spender[],
): Map<string, { accounts: VendorAccount[]; limits: ReturnType<VendorAccount['connector']['limits']>; shares: Record<string, number> }> {
  const problems: string[] = [];
  const budgets: ReturnType<typeof declaredBudgets> = new Map();
  for (const account of vendorAccounts(syncs)) {
    for (const scope of account.scopes) {
      const id = `${account.connector.vendor}/${scope}`;
      const known = budgets.get(id);
      if (known) known.accounts.push(account);
      else budgets.set(id, { accounts: [account], limits: account.connector.limits(account.plan), shares: {} });
    }
  }
  for (const [id, budget] of budgets) {
    for (const sync of syncs) {
      const spends = sync.to.account.scopes.some((scope) => `${sync.to.account.connector.vendor}/${scope}` === id);
      if (spends && sync.budget.share !== undefined) budget.shares[sync.id] = sync.budget.share;
    }
    for (const check of [() => checkLimits(budget.limits), () => checkShares(budget.shares)]) {
      try {
        check();
      } catch (error) {
        problems.push(`budget ${id}: ${(error as Error).message}`);
      }
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return budgets;
}

/** The process's gate to every budget its syncs spend from. */
export function createGate(options: { syncs: readonly Spender[]; client: () => Client; namespace: string; log: Logger }): DurableGate {
  const { syncs, client, namespace, log } = options;
  const budgets = declaredBudgets(syncs);
  const worker = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const idOf = ({ vendor, scope }: BudgetScope): string => `${vendor}/${scope}`;
  const silent = new Map<string, number>();
  return new DurableGate({
    scope: (scope) => {
      const budget = budgets.get(idOf(scope));
      return { worker, limits: budget?.limits ?? [], shares: budget?.shares ?? {} };
    },
    readings: (scope, { headers }) => budgets.get(idOf(scope))?.accounts[0]?.connector.limitReadings({ headers }) ?? [],
    lease: createLeaseClient(client),
    backlog: createBacklog(client, namespace, (scope) =>
      (budgets.get(idOf(scope))?.accounts ?? []).flatMap(({ connector, name }) => [
        vendorTaskQueue(connector.vendor, name, 'live'),
        vendorTaskQueue(connector.vendor, name, 'bulk'),
      ]),
    ),
    timers: {
      now: () => performance.now(),
      after: (ms, run) => {
        const timer = setTimeout(run, ms);
        timer.unref();
        return () => clearTimeout(timer);
      },
    },
    epoch: () => Date.now(),
    failed: (scope, error) => {
      // One line per quarter of a minute: while Temporal is away, every try fails the same way.
      const id = idOf(scope);
      if (Date.now() - (silent.get(id) ?? 0) < 15_000) return;
      silent.set(id, Date.now());
      log.warn({ err: error, budget: id }, 'the budget does not answer; calls go on while the lease lasts, then wait');
    },
  });
}
