import { leaseRequest } from '../../test/support/lease-request';
import { book } from './counts';
import { lease } from './lease';
import { newBudget, type BudgetState } from './state';
import { viewOf } from './view';

const noon = Date.parse('2026-01-10T12:00:00Z');
const hour = 3_600_000;
const day = 24 * hour;

/** What one sync with so many calls waiting can expect of an account like Salesforce's: a day, and calls at once. */
function waitMs(calls: number, shape: (state: BudgetState) => void = () => undefined, lane: 'live' | 'scheduled' = 'live'): number | null {
  const state = newBudget(noon);
  const limits = [{ name: 'day', kind: 'rolling', ms: day, max: 1_000 } as const, { name: 'at once', kind: 'concurrent', max: 5 } as const];
  lease(state, leaseRequest({ limits }), noon);
  state.workers = {};
  shape(state);
  const { spenders } = viewOf({ vendor: 'v', scope: 'main' }, state, noon, [{ sync: 's', lane, calls }]);
  return spenders.find(({ sync }) => sync === 's')!.waitMs;
}

describe('an account without short windows', () => {
  test('nobody called yet: what goes at once needs no time, how long more takes nobody knows', () => {
    expect(waitMs(0)).toBe(0);
    expect(waitMs(5)).toBe(0);
    expect(waitMs(6)).toBeNull();
  });

  test('beyond that, at the pace of the last hour', () => {
    const last = (state: BudgetState): void => book(state.counts[0]!, noon - 30 * 60_000, 60);
    expect(waitMs(120, last)! / hour).toBeCloseTo(1, 1);
  });

  test('a spent day: until it has room again', () => {
    const spent = (state: BudgetState): void => book(state.counts[0]!, noon - 20 * hour, 1_000);
    expect(waitMs(1, spent)! / hour).toBeGreaterThan(3.9);
    expect(waitMs(1, spent)! / hour).toBeLessThan(4.5);
    expect(waitMs(500, spent)! / hour).toBeGreaterThan(3.9);
  });

  test('more than is left of it, closed by the vendor, or the rest kept from bulk: not before that is over', () => {
    expect(waitMs(100, (state) => book(state.counts[0]!, noon - 20 * hour, 950))! / hour).toBeGreaterThan(3.9);
    expect(waitMs(1, (state) => (state.counts[0]!.closedUntil = noon + hour))).toBeGreaterThanOrEqual(hour);
    const nearlySpent = (state: BudgetState): void => book(state.counts[0]!, noon - 20 * hour, 950);
    expect(waitMs(1, nearlySpent, 'scheduled')).toBeGreaterThan(0);
    expect(waitMs(1, nearlySpent, 'live')).toBe(0);
  });

  test('the breaker is open: at least until it lets one call through', () => {
    expect(waitMs(50, (state) => (state.breaker.openUntil = noon + 30_000))).toBeGreaterThanOrEqual(30_000);
  });
});
