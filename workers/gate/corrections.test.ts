import fc from 'fast-check';
import type { LimitReading } from '../../connectors/connector';
import { BudgetWorld, type Arrival, type WorldOptions } from '../../test/support/budget-world';
import { leaseRequest } from '../../test/support/lease-request';
import { used } from '../../workflows/budget/counts';
import { lease } from '../../workflows/budget/lease';
import type { BudgetLimit } from '../../workflows/budget/protocol';
import { newBudget } from '../../workflows/budget/state';
import { viewOf } from '../../workflows/budget/view';

jest.setTimeout(120_000);

const seconds = (s: number) => s * 1_000;
const rolling: BudgetLimit = { name: 'w', kind: 'rolling', ms: 10_000, max: 100 };

/** A vendor that counts a rolling window strictly, with somebody else's calls in it, and says in each answer what is left. */
function strictVendor(max: number, ms: number, foreign: () => number[]) {
  const ours: number[] = [];
  let refused = 0;
  const verdict: NonNullable<WorldOptions['verdict']> = (now) => {
    const taken = [...ours, ...foreign()].filter((at) => at > now - ms && at <= now).length;
    if (taken >= max) {
      refused++;
      return { status: 429, readings: [{ limit: 'w', max, remaining: 0 }] };
    }
    ours.push(now);
    return { status: 200, readings: [{ limit: 'w', max, remaining: max - taken - 1 }] };
  };
  return { verdict, ours, refused: () => refused };
}

test('others take 30 of 100: the rest is used, they are hardly in the way, and the headers alone tell', async () => {
  const taken: number[] = [];
  const vendor = strictVendor(100, 10_000, () => taken);
  const world = new BudgetWorld({ seed: 8, limits: [rolling], verdict: vendor.verdict });
  // Somebody else calls three times a second, from second 30 on.
  for (let at = seconds(30); at < seconds(200); at += 333) world.time.after(at, () => taken.push(world.time.now));
  const workers = [world.startWorker(), world.startWorker()];
  workers.forEach((worker) => world.demand(worker, { lane: 'backfill', backlog: 50 }));
  await world.time.run(seconds(150));
  const rest = 0.7 * 100 * 9;
  expect(world.count(seconds(60), seconds(150)) / rest).toBeGreaterThan(0.9);
  expect(vendor.refused()).toBeLessThanOrEqual(6);
  const [view] = viewOf({ vendor: 'v', scope: 'main' }, world.state, 0).windows;
  expect(view!.foreign).toBeGreaterThan(15);
  expect(view!.limit).toBeLessThan(90);
  // They stop: what was theirs is ours again.
  taken.length = 0;
  await world.time.run(seconds(290));
  expect(world.count(seconds(250), seconds(290)) / 400).toBeGreaterThan(0.93);
});

test('a day: a clock-aligned window, counted by several workers, others’ use and the vendor’s own maximum; never over it, new at its start', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(1e9),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(399),
      fc.constantFrom(0, 30),
      fc.constantFrom(0, 0.05),
      async (seed, workers, phase, foreign, lost) => {
        // 400 s stand for a day; the clock starts anywhere in it, the vendor counts from its own start.
        const day: BudgetLimit = { name: 'day', kind: 'fixed', ms: seconds(400), max: 120 };
        const startAt = seconds(4_000_000 + phase);
        const dayOf = (now: number) => Math.floor((startAt + now) / seconds(400));
        const counted = new Map<number, number>();
        let over = 0;
        const verdict: NonNullable<WorldOptions['verdict']> = (now) => {
          const before = counted.get(dayOf(now)) ?? foreign;
          if (before >= 120) over++;
          counted.set(dayOf(now), before + 1);
          const readings: LimitReading[] = [{ limit: 'day', max: 120, remaining: Math.max(0, 120 - before - 1) }];
          return { status: 200, readings };
        };
        const world = new BudgetWorld({ seed, limits: [rolling, day], startAt, lost, verdict });
        for (let index = 0; index < workers; index++) world.demand(world.startWorker(), { lane: 'backfill', backlog: 3 });
        await world.time.run(seconds(950));
        // Ours alone never pass the maximum. Others' calls all come at the start of a day here, and are known after the first answers: what was leased by then may go.
        expect([...counted].filter(([, calls]) => calls - foreign > 120)).toEqual([]);
        expect(over).toBeLessThanOrEqual(foreign * counted.size);
        // Calls of the last seconds before a start count for both days: seen only where a day ends before it is spent.
        const first = dayOf(0) + (phase < 340 ? 1 : 2);
        const whole = [...counted].filter(([which]) => which >= first && which < dayOf(seconds(950)));
        if (lost === 0) expect(whole.filter(([, calls]) => calls < 110)).toEqual([]);
        expect(world.state.counts[0]!.spent.length).toBeLessThan(200);
      },
    ),
    { numRuns: Number(process.env.SYNCLINE_TEST_RUNS ?? 10) },
  );
});

test('a day of a busy account stays a small state', async () => {
  const world = new BudgetWorld({
    seed: 1,
    limits: [{ name: 'day', kind: 'fixed', ms: 86_400_000, max: 1_000_000 }],
    startAt: Date.parse('2026-01-10T00:00:00Z'),
    way: [400, 600],
    work: [400, 600],
  });
  world.demand(world.startWorker(), { lane: 'live', backlog: 2 });
  await world.time.run(3 * 3_600_000);
  expect(world.arrivals.length).toBeGreaterThan(10_000);
  expect(world.state.counts[0]!.spent.length).toBeLessThan(60);
  expect(JSON.stringify(world.state).length).toBeLessThan(5_000);
  expect(used(world.state.counts[0]!)).toBeGreaterThan(world.arrivals.length - 20);
});

test('cost units: never more units than the limit, in short and long windows, in one worker and several', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(1e9), fc.integer({ min: 1, max: 4 }), async (seed, workers) => {
      const limits: BudgetLimit[] = [
        { name: 'w', kind: 'rolling', ms: 5_000, max: 60 },
        { name: 'points', kind: 'rolling', ms: 90_000, max: 400 },
      ];
      const world = new BudgetWorld({ seed, limits });
      for (let index = 0; index < workers; index++) {
        const worker = world.startWorker();
        world.demand(worker, { lane: 'backfill', sync: 'dear', backlog: 4, cost: 7 });
        world.demand(worker, { lane: 'live', sync: 'cheap', backlog: 2 });
      }
      await world.time.run(seconds(80));
      for (const limit of limits) expect(world.most(limit)).toBeLessThanOrEqual(limit.max);
      expect(world.arrivals.some(({ cost }) => cost === 7)).toBe(true);
      const units = world.arrivals.reduce((sum, { cost = 1 }: Arrival) => sum + cost, 0);
      expect(units).toBeGreaterThan(300);
    }),
    { numRuns: Number(process.env.SYNCLINE_TEST_RUNS ?? 8) },
  );
});

test('clocks that differ by any offset, and run up to 0.5 ms a second fast or slow: never more than the limit', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(1e9), fc.integer({ min: 2, max: 6 }), fc.constantFrom(0, 0.05), async (seed, workers, lost) => {
      const limits: BudgetLimit[] = [
        { name: 'w', kind: 'rolling', ms: 10_000, max: 40 },
        { name: 'c', kind: 'concurrent', max: 5 },
      ];
      const world = new BudgetWorld({ seed, limits, lost, drift: 0.5 });
      for (let index = 0; index < workers; index++) world.demand(world.startWorker(), { lane: 'backfill', backlog: 10, from: world.chance() * seconds(30) });
      await world.time.run(seconds(90));
      for (const limit of limits) expect(world.most(limit)).toBeLessThanOrEqual('max' in limit ? limit.max : 0);
    }),
    { numRuns: Number(process.env.SYNCLINE_TEST_RUNS ?? 12) },
  );
});

test('of two workers’ readings the newer counts, whichever is told first', () => {
  const state = newBudget(0);
  const limits: BudgetLimit[] = [
    { name: 'day', kind: 'fixed', ms: 86_400_000, max: 1_000 },
    { name: 'burst', kind: 'rolling', ms: 10_000, max: 100 },
  ];
  const told = (worker: string, max: number, agoMs: number, now: number) =>
    lease(state, leaseRequest({ worker, limits, readings: limits.map(({ name }) => ({ name, max: max / (name === 'day' ? 1 : 10), own: 0, agoMs })) }), now);
  told('a', 500, 100, 10_000);
  // Heard by another before the vendor lowered it, and told after that.
  told('b', 1_000, 2_000, 11_000);
  expect([state.counts[0]!.said, state.slots[0]!.said]).toEqual([500, 50]);
  told('c', 1_000, 0, 12_000);
  expect([state.counts[0]!.said, state.slots[0]!.said]).toEqual([0, 0]);
});
