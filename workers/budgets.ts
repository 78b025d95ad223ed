import type { Client } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { performance } from 'node:perf_hooks';
import type { Logger } from 'pino';
import { ConfigError } from '../platform/config';
import type { OffPeak } from '../schemas/off-peak';
import { budgetName, type BudgetScope } from '../schemas/plan';
import { allBudgets, type VendorAccount } from '../syncs/accounts-api';
import { scopesOf, vendorAccounts, type Spender } from '../syncs/define-sync';
import { checkLimits, checkShares } from '../workflows/budget/validate';
import { vendorTaskQueue } from '../workflows/ids';
import { createAlerts } from './alerts';
import { createBacklog } from './gate/backlog';
import { DurableGate, queueLanes } from './gate/durable-gate';
import { createLeaseClient } from './gate/lease-client';

/** What the syncs declare of one budget scope. */
export interface DeclaredBudget {
  accounts: VendorAccount[];
  limits: ReturnType<VendorAccount['connector']['limits']>;
  shares: Record<string, number>;
  offPeak: OffPeak | null;
}

/** What the syncs declare of each budget scope. Every mistake is named at once. */
export function declaredBudgets(syncs: readonly Spender[]): Map<string, DeclaredBudget> {
  const problems: string[] = [];
  const budgets = new Map<string, DeclaredBudget>();
  for (const account of vendorAccounts(syncs)) {
    for (const { scope, quota } of allBudgets(account)) {
      const id = budgetName(scope);
      const known = budgets.get(id);
      const offPeak = account.offPeak ?? null;
      if (!known) budgets.set(id, { accounts: [account], limits: account.connector.limits(account.plan, quota), shares: {}, offPeak });
      else if (known.accounts.push(account) && JSON.stringify(known.offPeak) !== JSON.stringify(offPeak)) {
        problems.push(
          `budget ${id}: its accounts (${known.accounts.map(({ name }) => name).join(', ')}) declare different offPeak hours; expected the same in all of them`,
        );
      }
    }
  }
  for (const [id, budget] of budgets) {
    for (const sync of syncs) {
      const spends = scopesOf(sync).some((scope) => budgetName(scope) === id);
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
export function createGate(options: {
  syncs: readonly Spender[];
  client: () => Client;
  namespace: string;
  log: Logger;
  alertWebhook?: string | undefined;
}): DurableGate {
  const { syncs, client, namespace, log } = options;
  const budgets = declaredBudgets(syncs);
  /** Accounts whose records spend from a budget, by its name. */
  const writtenTo = new Map<string, VendorAccount[]>();
  for (const sync of syncs) for (const name of scopesOf(sync).map(budgetName)) writtenTo.set(name, [...(writtenTo.get(name) ?? []), sync.to.account]);
  const worker = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const silent = new Map<string, number>();
  const alerts = createAlerts({ webhook: options.alertWebhook, log });
  const gate: DurableGate = new DurableGate({
    scope: (scope) => {
      const budget = budgets.get(budgetName(scope));
      return { worker, limits: budget?.limits ?? [], shares: budget?.shares ?? {}, offPeak: budget?.offPeak ?? null };
    },
    readings: (scope, { headers }) => budgets.get(budgetName(scope))?.accounts[0]?.connector.limitReadings({ headers }) ?? [],
    lease: createLeaseClient(client),
    backlog: createBacklog(client, namespace, (scope) => {
      const queues = (writtenTo.get(budgetName(scope)) ?? []).flatMap(({ connector, name }) =>
        queueKinds(scope).map((kind) => vendorTaskQueue(connector.vendor, name, kind)),
      );
      return [...new Set(queues)];
    }),
    besides: (scopes) => queueMates(syncs, scopes),
    alert: (scope, alert) => alerts(budgetName(scope), alert),
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
      const id = budgetName(scope);
      if (Date.now() - (silent.get(id) ?? 0) < 15_000) return;
      silent.set(id, Date.now());
      log.warn({ err: error, budget: id }, 'the budget does not answer; calls go on while the lease lasts, then wait');
    },
  });
  // What waits for its lane's hours is no reason to keep a lease.
  const queueKinds = (scope: BudgetScope): ('live' | 'bulk')[] =>
    queueLanes('backfill').some((lane) => gate.blocked([scope], { lane, sync: '' })?.cause !== 'off-peak') ? ['live', 'bulk'] : ['live'];
  return gate;
}

/** The scopes of every quota that is spent by writers to the accounts these scopes are spent for: one live and one bulk queue serve them all. */
export function queueMates(syncs: readonly Spender[], scopes: readonly BudgetScope[]): BudgetScope[][] {
  const accountOf = ({ to }: Spender): string => `${to.operation.connector.vendor}/${to.account.name}`;
  const namesOf = (of: readonly BudgetScope[]): string => of.map(budgetName).join();
  const accounts = new Set(syncs.filter((sync) => namesOf(scopesOf(sync)) === namesOf(scopes)).map(accountOf));
  return [scopes.slice(), ...syncs.filter((sync) => accounts.has(accountOf(sync))).map((sync) => [...scopesOf(sync)])];
}
