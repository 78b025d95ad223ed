import fc from 'fast-check';
import { leaseRequest } from '../../test/support/lease-request';
import { lease } from './lease';
import { newBudget } from './state';
import { viewOf } from './view';
import { allocate, fairParts, laneOrder, sum, type Demand } from './shares';

const demand = (worker: string, sync: string, lane: Demand['lane'], want: number): Demand => ({ worker, sync, lane, want, cost: 1 });
const slots = (found: { slots: number }[]) => found.map((one) => one.slots);

test('a live flood leaves each lower lane a twentieth, and takes the rest', () => {
  const found = allocate(100, [demand('a', 's', 'live', 100), demand('a', 'b', 'backfill', 100), demand('b', 'r', 'replay', 100)], {});
  expect(slots(found)).toEqual([90, 5, 5]);
});

test('a guaranteed share holds against a higher lane; what its sync does not want is anybody’s', () => {
  const busy = allocate(100, [demand('a', 'big', 'live', 100), demand('b', 'small', 'replay', 100)], { small: 0.3 });
  expect(slots(busy)).toEqual([70, 30]);
  const idle = allocate(100, [demand('a', 'big', 'live', 100), demand('b', 'small', 'replay', 4)], { small: 0.3 });
  expect(slots(idle)).toEqual([96, 4]);
});

test('an estimate goes by the shares in force: lowered together where they no longer fit in one', () => {
  const state = newBudget(0);
  const limits = [{ name: 'w', kind: 'rolling', ms: 60_000, max: 100 } as const];
  const demand = ['x', 'y'].map((sync) => ({ sync, lane: 'live' as const, waiting: 100, full: true, used: [100], spent: 0 }));
  lease(state, leaseRequest({ limits, shares: { x: 1 }, demand }), 0);
  state.changedShares = { y: 1 };
  const { spenders } = viewOf({ vendor: 'v', scope: 'main' }, state, 0);
  expect(spenders.map(({ perMinute }) => perMinute)).toEqual([50, 50]);
});

test('inside a lane evenly by sync, then by worker', () => {
  const found = allocate(90, [demand('a', 'x', 'live', 90), demand('b', 'x', 'live', 90), demand('a', 'y', 'live', 90)], {});
  expect(slots(found)).toEqual([23, 22, 45]);
});

test('when a guarantee is less than a slot, it is a slot in some turns, for one after the other', () => {
  const given = Array.from({ length: 40 }, (_, turn) =>
    slots(allocate(10, [demand('a', 'l', 'live', 10), demand('b', 'x', 'replay', 5), demand('c', 'y', 'replay', 5)], {}, turn)).slice(1),
  );
  expect(sum(given.map(([x]) => x!))).toBe(10);
  expect(sum(given.map(([, y]) => y!))).toBe(10);
});

test('… and inside a sync for one worker after the other, whatever the rhythm in which the syncs take turns', () => {
  const live = demand('a', 'l', 'live', 60);
  const ofTwo = [live, demand('a', 'x', 'replay', 5), demand('a', 'y', 'replay', 5), demand('b', 'y', 'replay', 5)];
  const given = Array.from({ length: 400 }, (_, turn) => slots(allocate(20, ofTwo, {}, turn)).slice(1));
  const [x, ...ofY] = [0, 1, 2].map((index) => sum(given.map((one) => one[index]!)));
  expect(x).toBe(200);
  for (const count of ofY) expect(Math.abs(count - 100)).toBeLessThanOrEqual(4);

  for (const limit of [7, 10, 19, 20, 40, 60])
    for (const workers of [2, 3, 4, 5, 8]) {
      const others = Array.from({ length: workers }, (_, index) => demand(`${index}`, 'y', 'replay', 5));
      const found = Array.from({ length: 4_000 }, (_, turn) => slots(allocate(limit, [live, demand('a', 'x', 'replay', 5), ...others], {}, turn)).slice(2));
      const all = others.map((_, index) => sum(found.map((one) => one[index]!)));
      expect({ limit, workers, fair: Math.min(...all) >= (0.8 * sum(all)) / workers }).toEqual({ limit, workers, fair: true });
    }
});

test('never more than the limit, never more than wanted, nothing left while somebody wants', () => {
  const demands = fc.array(
    fc.record({
      worker: fc.constantFrom('a', 'b', 'c'),
      sync: fc.constantFrom('x', 'y', 'z'),
      lane: fc.constantFrom(...laneOrder),
      want: fc.nat(200),
      cost: fc.constant(1),
    }),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(
      fc.nat(300),
      demands,
      fc.record({ x: fc.double({ min: 0, max: 0.5, noNaN: true }), y: fc.double({ min: 0, max: 0.5, noNaN: true }) }),
      fc.nat(50),
      (limit, all, shares, turn) => {
        const found = allocate(limit, all, shares, turn);
        expect(sum(slots(found))).toBe(Math.min(limit, sum(all.map(({ want }) => want))));
        for (const one of found) expect(one.slots).toBeLessThanOrEqual(one.want);
        for (const one of found) expect(one.slots).toBeGreaterThanOrEqual(0);
      },
    ),
    { numRuns: 200 },
  );
});

test('fair parts are whole and even', () => {
  expect(fairParts(10, [3, 20, 20])).toEqual([3, 4, 3]);
  expect(fairParts(2, [1, 1, 1], 1)).toEqual([0, 1, 1]);
  expect(fairParts(2, [1, 1, 1], 2)).toEqual([1, 0, 1]);
});
