import { BudgetWorld, worldScope, type WorldOptions } from '../../test/support/budget-world';
import type { Lane } from '../../schemas/plan';
import type { BudgetLimit } from '../../workflows/budget/protocol';
import { CountStock } from './count-stock';

const hour = 3_600_000;
/** A worker that had nothing to send for a while has its first slot by then. */
const newcomerMs = 4_000;
const perSecond: BudgetLimit = { name: 'w', kind: 'rolling', ms: 1_000, max: 50 };
const day = (kind: 'fixed' | 'rolling' = 'fixed', max = 2_000): BudgetLimit => ({ name: 'day', kind, ms: hour, max });

/** A "day" of an hour, from its beginning to its end, and two workers. */
function stage(options: Partial<WorldOptions> = {}) {
  const world = new BudgetWorld({ seed: 3, limits: [perSecond, day()], startAt: 1_000 * hour + 10_000, ...options });
  const workers = [world.startWorker(), world.startWorker()];
  return { world, workers };
}

describe.each(['fixed', 'rolling'] as const)('a long window, %s', (kind) => {
  test('bulk from its first moment leaves what live records need: none of them waits', async () => {
    const { world, workers } = stage({ limits: [perSecond, day(kind)] });
    world.demand(workers[0]!, { lane: 'backfill', backlog: 20 });
    const waits = world.trickle(workers[1]!, { lane: 'live', everyMs: 30_000, to: hour - 60_000 });
    await world.time.run(hour - 30_000);
    expect(waits.length).toBeGreaterThan(90);
    expect(Math.max(...waits)).toBeLessThan(newcomerMs);
    expect(world.most(day(kind))).toBeLessThanOrEqual(2_000);
    // What is kept is not much more than that.
    expect(world.arrivals.length).toBeGreaterThan(1_800);
  });

  test('bulk that begins later leaves more, where live records used more than a tenth', async () => {
    const { world, workers } = stage({ limits: [perSecond, day(kind)] });
    const waits = world.trickle(workers[0]!, { lane: 'live', everyMs: 5_000, to: hour - 60_000 });
    world.demand(workers[1]!, { lane: 'replay', backlog: 20, from: hour / 2 });
    await world.time.run(hour - 30_000);
    expect(waits.length).toBeGreaterThan(600);
    expect(Math.max(...waits)).toBeLessThan(newcomerMs);
  });
});

test('at the end of a fixed window nothing is kept: all of it is used', async () => {
  const { world, workers } = stage();
  world.demand(workers[0]!, { lane: 'backfill', backlog: 20 });
  await world.time.run(hour - 11_000);
  expect(world.arrivals.length).toBeGreaterThan(1_980);
  expect(world.arrivals.length).toBeLessThanOrEqual(2_000);
});

test('a share: its sync has its part of what is left, whoever came before; the others don’t wait for a sync that wants nothing at the end', async () => {
  const { world, workers } = stage({ shares: { late: 0.4 } });
  world.demand(workers[0]!, { lane: 'backfill', sync: 'early', backlog: 20 });
  world.demand(workers[1]!, { lane: 'backfill', sync: 'late', backlog: 20, from: hour / 2, to: hour / 2 + 5 * 60_000 });
  await world.time.run(hour - 11_000);
  const late = world.count(0, hour, ({ sync }) => sync === 'late');
  expect(late).toBeGreaterThan(0.4 * 2_000 * 0.5 * 0.95);
  expect(world.arrivals.length).toBeGreaterThan(1_900);
});

test('what is kept from bulk closes its queue, and live records’ not; it is known without a lease', async () => {
  const { world, workers } = stage();
  const { gate } = workers[0]!;
  world.demand(workers[0]!, { lane: 'backfill', backlog: 20, to: 120_000 });
  await world.time.run(120_000);
  const isShut = (lane: Lane) => gate.closedForMs([worldScope], lane) > 1_000;
  expect([isShut('live'), isShut('backfill')]).toEqual([false, true]);
  await world.time.run(128_000); // idle by now, and its lease given back
  expect(Object.keys(world.state.workers)).toEqual([]);
  expect([isShut('live'), isShut('backfill')]).toEqual([false, true]);
});

test('a budget of an older version says nothing of what is kept: bulk goes on as before', () => {
  const stock = new CountStock('day');
  const bulk = { lane: 'backfill', sync: 's' } as const;
  stock.apply({ grant: 5, keep: 5, closedMs: 0, bulk: { left: 0, shared: { s: 2 }, closedMs: 700 } }, true, 0);
  expect([bulk, { ...bulk, sync: 'other' }, { ...bulk, lane: 'live' as const }].map((who) => stock.readyAt(0, 1, who))).toEqual([0, 700, 0]);
  stock.take(2);
  expect(stock.readyAt(0, 1, bulk)).toBe(700);
  stock.giveBack(1);
  expect(stock.readyAt(0, 1, bulk)).toBe(0);
  stock.apply({ grant: 0, keep: 5, closedMs: 0 }, false, 0);
  expect(stock.readyAt(0, 1, { ...bulk, sync: 'other' })).toBe(0);
});
