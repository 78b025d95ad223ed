import { BudgetWorld } from '../../test/support/budget-world';
import type { BudgetLimit } from '../../workflows/budget/protocol';

const seconds = (count: number): number => count * 1_000;

test.each([1_000, 10_000, 60_000])('three workers with calls of 10 units, 20 units in %i ms: each has its turn, and most of the window is used', async (ms) => {
  const limit: BudgetLimit = { name: 'w', kind: 'rolling', ms, max: 20 };
  const world = new BudgetWorld({ seed: 2, limits: [limit] });
  const workers = [world.startWorker(), world.startWorker(), world.startWorker()];
  workers.forEach((worker) => world.demand(worker, { lane: 'backfill', sync: 'dear', backlog: 5, cost: 10 }));
  const turn = Math.max(seconds(10), 2 * ms);
  const to = 20 * turn;
  await world.time.run(to);
  expect(world.most(limit)).toBeLessThanOrEqual(20);
  const possible = (2 * (to - 2 * turn)) / ms;
  expect(world.count(2 * turn, to) / possible).toBeGreaterThan(0.5);
  for (const { name } of workers) {
    const mine = world.arrivals.filter(({ worker, at }) => worker === name && at >= 2 * turn);
    expect(mine.length / world.count(2 * turn, to)).toBeGreaterThan(0.2);
    // Nobody waits for more than four turns, and half a minute: so long slots rest that were given up with a call on its way.
    expect(mine.every(({ at }, index) => at - (mine[index - 1]?.at ?? 2 * turn) < 4 * turn + seconds(30))).toBe(true);
  }
});

test('a dear call of bulk goes now and then beside a flood of live calls in other workers, which have nearly all of the rest', async () => {
  const limit: BudgetLimit = { name: 'w', kind: 'rolling', ms: 1_000, max: 20 };
  const world = new BudgetWorld({ seed: 3, limits: [limit] });
  world.demand(world.startWorker(), { lane: 'live', backlog: 40 });
  world.demand(world.startWorker(), { lane: 'backfill', backlog: 3, cost: 10 });
  await world.time.run(seconds(600));
  const dear = world.count(seconds(60), seconds(600), ({ cost }) => cost === 10);
  expect(dear).toBeGreaterThan(10);
  expect(world.most(limit)).toBeLessThanOrEqual(20);
  // A twentieth of the window is bulk's.
  expect((10 * dear) / (20 * 540)).toBeLessThan(0.12);
  expect(world.count(seconds(60), seconds(600), ({ lane }) => lane === 'live') / (20 * 540)).toBeGreaterThan(0.8);
});
