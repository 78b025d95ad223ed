import { leaseRequest } from '../../test/support/lease-request';
import { lease } from './lease';
import { newBudget, type BudgetState } from './state';

const limits = [{ name: 'DAY', kind: 'rolling', ms: 86_400_000, max: 1_000 } as const];
const minute = 60_000;

/** A refusal that names the window; resolves how long it is closed. */
function refuse(state: BudgetState, now: number, pauseMs = 1_000): number {
  const { seq: before = 0, term = 0 } = state.workers['a'] ?? {};
  const seq = before + 1;
  lease(state, leaseRequest({ seq, term, ack: before, limits, refusals: [{ sync: 's', limit: 'DAY', pauseMs, since: seq }] }), now);
  return state.counts[0]!.closedUntil - now;
}

function fresh(): BudgetState {
  const state = newBudget(0);
  lease(state, leaseRequest({ limits }), 0);
  return state;
}

test('refused again as soon as it is asked: a minute, then two, then four; as long as the vendor says, where that is more', () => {
  const state = fresh();
  expect(refuse(state, 10_000)).toBe(minute);
  expect(refuse(state, 10_000 + minute + 2_000)).toBe(2 * minute);
  expect(refuse(state, 10_000 + 3 * minute + 4_000)).toBe(4 * minute);
  expect(refuse(state, 10_000 + 7 * minute + 6_000, 20 * minute)).toBe(20 * minute);
});

test('refused after it was open for a while: the first refusal again, whatever came before', () => {
  const state = fresh();
  expect(refuse(state, 10_000)).toBe(minute);
  expect(refuse(state, 10_000 + minute + 40_000)).toBe(minute);
  expect(refuse(state, 10_000 + 5 * minute)).toBe(minute);
});
