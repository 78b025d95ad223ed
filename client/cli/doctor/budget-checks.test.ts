import { syncs } from '../../../syncs';
import { lease } from '../../../workflows/budget/lease';
import { newBudget, type BudgetState } from '../../../workflows/budget/state';
import { viewOf } from '../../../workflows/budget/view';
import type { TemporalAccess } from '../context';
import { fakeContext, recordedTerminal } from '../testing/fake-context';
import { budgetChecks } from './budget-checks';

const scope = { vendor: 'hubspot', scope: 'main' };

/** The checks of a budget in which this was changed; the others never started. */
async function checks(change: Partial<BudgetState>) {
  const state = newBudget(0);
  const limits = [{ name: 'burst', kind: 'rolling', ms: 10_000, max: 100 } as const];
  lease(state, { v: 1, worker: 'a', term: 0, seq: 1, ack: 0, limits, slots: [], counts: [], demand: [] }, 0);
  const view = viewOf(scope, Object.assign(state, change), 0);
  const getHandle = (id: string) => ({ query: async () => (id === 'budget/hubspot/main' ? view : null) });
  const client = { workflow: { getHandle }, withDeadline: (_: number, ask: () => Promise<unknown>) => ask() };
  const temporal = { client: client as unknown as TemporalAccess['client'], namespace: 'test', address: 'test:1' };
  return budgetChecks(fakeContext(recordedTerminal(), { temporal }), syncs);
}

test('as declared: nothing to say', async () => {
  expect(await checks({})).toEqual([]);
});

test('a pause in force is a warning, with the way out', async () => {
  const [paused] = await checks({ held: ['lane:live', 'sync:signup-to-crm'] });
  expect(paused).toMatchObject({ state: 'warn', name: 'hubspot/main', found: 'changed by an operator: lane:live paused, sync:signup-to-crm paused' });
  expect(paused!.fix).toBe('npx syncline budget resume hubspot/main lane:live\nnpx syncline budget resume hubspot/main sync:signup-to-crm');
  expect((await checks({ held: ['lane:live', 'all'] }))[0]!.fix).toBe('npx syncline budget resume hubspot/main all');
});

test('a share or a lane is told', async () => {
  expect(await checks({ changedShares: { 'signup-to-crm': 0.1 } })).toMatchObject([{ state: 'ok', found: expect.stringContaining('set to 10 %') }]);
});

test('Temporal is away: said elsewhere', async () => {
  expect(await budgetChecks(fakeContext(recordedTerminal()), syncs)).toEqual([]);
});
