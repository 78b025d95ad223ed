import { setTimeout as delay } from 'node:timers/promises';
import { vendorAccount, budgetScopes } from '../../syncs/accounts-api';
import { DurableGate } from '../../workers/gate/durable-gate';
import { lease } from '../../workflows/budget/lease';
import { newBudget, type BudgetState } from '../../workflows/budget/state';
import type { LeaseReply, LeaseRequest } from '../../workflows/budget/protocol';
import type { BudgetScope } from '../../schemas/plan';
import { createVendorHttp } from '../http';
import { createSimulator } from '../simulator';
import { klaviyo } from './index';
import { removeFromList } from './operations/list-members';
import { readProfiles } from './operations/read-profiles';
import { upsertProfiles } from './operations/upsert-profiles';
import { simulated } from './simulator';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

// The real gates, the real budget behind them (in this process instead of in its workflow), real HTTP, declared limits.
test('two workers under a flood: no family of endpoints is ever over its windows, and one that is full stops no other', async () => {
  const account = vendorAccount(klaviyo, { name: 'mail' });
  const simulator = createSimulator(simulated);
  const { url } = await simulator.listen();
  const budgets = new Map<string, BudgetState>();
  const ask = async ({ scope }: BudgetScope, request: LeaseRequest): Promise<LeaseReply> => {
    await delay(5);
    const state = budgets.get(scope) ?? newBudget(Date.now());
    budgets.set(scope, state);
    return JSON.parse(JSON.stringify(lease(state, JSON.parse(JSON.stringify(request)) as LeaseRequest, Date.now()))) as LeaseReply;
  };
  closing.push(() => simulator.close());
  const worker = (name: string) => {
    const gate = new DurableGate({
      scope: ({ scope }) => ({ worker: name, limits: klaviyo.limits(undefined, scope.split('.')[1]) }),
      readings: (_scope, { headers }) => klaviyo.limitReadings({ headers }),
      lease: ask,
      timers: {
        now: () => performance.now(),
        after: (ms, run) => {
          const timer = setTimeout(run, ms).unref();
          return () => clearTimeout(timer);
        },
      },
      epoch: () => Date.now(),
      failed: () => undefined,
    });
    const http = createVendorHttp({
      connector: klaviyo,
      baseUrl: url,
      credentials: () => Promise.resolve({ apiKey: 'pk_sandbox' }),
      gate,
      scopesOf: (quota) => budgetScopes(account, quota),
    });
    closing.push(async () => {
      http.close();
      await gate.close();
    });
    return (quota: string) => http.call({ scopes: budgetScopes(account, quota), lane: 'live', sync: name });
  };

  const stop = new AbortController();
  const done: string[] = [];
  const flood = (name: string, callers: number, one: () => Promise<unknown>) => {
    for (let caller = 0; caller < callers; caller++)
      void (async () => {
        while (!stop.signal.aborted) {
          await one();
          done.push(name);
        }
      })().catch((error: unknown) => done.push(`${name} failed: ${String(error)}`));
  };
  for (const name of ['w1', 'w2']) {
    const call = worker(name);
    let n = 0;
    flood('upsert', 60, () => upsertProfiles.send(call('profiles'), [{ email: `${name}-${n++ % 50}@example.com` }]));
    // Two families in one operation; and one of them asked for far more than it has. An empty list is refused, but counted.
    flood('remove', 4, () => removeFromList('Y6nRLr').send(call('profiles'), [{ email: `${name}-1@example.com` }]));
    const body = { data: [] };
    flood('lists', 10, () =>
      expect(call('lists').request({ method: 'DELETE', path: '/api/lists/Y6nRLr/relationships/profiles', body })).rejects.toMatchObject({ code: 'INVALID' }),
    );
  }
  await delay(6_000);
  stop.abort();
  // What still waits for a permit is not part of the flood.
  const stats = simulator.stats();
  expect(stats.byStatus['429'] ?? 0).toBe(0);
  expect(stats.overLimit).toEqual({});
  const windows = Object.values(stats.windows).flat();
  for (const { quota, name, max, maxAccepted } of windows) expect({ quota, name, over: maxAccepted > max! }).toEqual({ quota, name, over: false });
  // Not for want of trying: more than one second's worth of each, on the busiest machine.
  const calls = (what: RegExp) => Object.entries(stats.byPath).reduce((sum, [path, count]) => sum + (what.test(path) ? count : 0), 0);
  expect(calls(/profile-import|GET .*profiles$/)).toBeGreaterThan(100);
  expect(calls(/DELETE/)).toBeGreaterThan(15);
  expect([...budgets.keys()].sort()).toEqual(['mail.lists', 'mail.profiles']);
  expect(done.filter((name) => name.includes('failed'))).toEqual([]);
  expect(await readProfiles(worker('w3')('profiles'), ['w1-1@example.com'])).toMatchObject([{ found: true }]);
});
