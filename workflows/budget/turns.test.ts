import fc from 'fast-check';
import { allocate, sum, type Allocation, type Demand } from './shares';
import { inTurns } from './turns';

const bulk = (worker: string, change: Partial<Demand> = {}): Demand => ({ worker, sync: 's', lane: 'backfill', want: 20, cost: 10, ...change });
const slots = (found: readonly Allocation[]) => found.map((one) => one.slots);
const turns = (limit: number, demands: Demand[], count: number) =>
  Array.from({ length: count }, (_, turn) => slots(inTurns(allocate(limit, demands, {}, turn), limit, turn)));

test('three workers, room for two calls: each has it in about two turns of three, and none is lost', () => {
  const found = turns(20, [bulk('a'), bulk('b'), bulk('c')], 3_000);
  for (const turn of found) expect([...turn].sort((a, b) => b - a)).toEqual([10, 10, 0]);
  for (const worker of [0, 1, 2]) expect(Math.abs(found.filter((turn) => turn[worker] === 10).length - 2_000)).toBeLessThanOrEqual(120);
});

test('one whose part is less than a call has it as often as its part allows; the others pay, and get it back', () => {
  const found = turns(20, [bulk('a', { lane: 'live', sync: 'flood', cost: 1 }), bulk('b')], 1_000);
  // A twentieth of 20, a call of 10: one turn in ten.
  expect(found.filter(([, mine]) => mine === 10).length / 1_000).toBeCloseTo(0.1, 2);
  expect(sum(found.map(([flood]) => flood!)) / 1_000).toBeCloseTo(19, 0);
});

test('where every worker has enough, and for calls that no window can hold, nothing changes', () => {
  for (const demands of [[bulk('a'), bulk('b')], [bulk('a', { cost: 21 }), bulk('b', { cost: 21 })], [bulk('a', { cost: 1 })], []]) {
    const allocated = allocate(20, demands, {}, 3);
    expect(inTurns(allocated, 20, 3)).toEqual(allocated);
  }
});

test('never more in all than was allocated, never less than none; and every worker has what its dearest call takes in some turn', () => {
  const demand = fc.record({
    worker: fc.constantFrom('a', 'b', 'c', 'd'),
    sync: fc.constantFrom('x', 'y', 'z', 'v'),
    lane: fc.constantFrom<Demand['lane']>('live', 'backfill'),
    want: fc.integer({ min: 20, max: 60 }),
    cost: fc.constantFrom(1, 3, 10, 20),
  });
  // Three slots for the lower lane, of which its second sync gets one: the rhythm of that once never met its third worker.
  const small: Partial<Demand> = { sync: 'y', cost: 1 };
  const threeOfOneSync = [
    bulk('a', { ...small, sync: 'x' }),
    ...['a', 'b', 'c'].map((worker) => bulk(worker, small)),
    bulk('a', { sync: 'x', lane: 'live', want: 33, cost: 1 }),
    bulk('b', { sync: 'x', lane: 'live', want: 24, cost: 1 }),
  ];
  const key = ({ worker, sync, lane }: Demand) => `${worker}/${sync}/${lane}`;
  fc.assert(
    fc.property(fc.integer({ min: 20, max: 60 }), fc.uniqueArray(demand, { maxLength: 12, selector: key }), fc.nat(1e6), (limit, demands, start) => {
      const waiting = new Set(demands);
      for (let turn = start; turn < start + 20_000 && (waiting.size > 0 || turn < start + 100); turn++) {
        const allocated = allocate(limit, demands, {}, turn);
        const found = inTurns(allocated, limit, turn);
        if (sum(slots(found)) > sum(slots(allocated)) || found.some((one) => one.slots < 0)) throw new Error(`turn ${turn}: ${JSON.stringify(found)}`);
        const heldBy = (worker: string): number => sum(found.map((one) => (one.worker === worker ? one.slots : 0)));
        for (const one of waiting) if (heldBy(one.worker) >= one.cost) waiting.delete(one);
      }
      expect([...waiting]).toEqual([]);
    }),
    { numRuns: 200, examples: [[60, threeOfOneSync, 0]] },
  );
});
