import { BudgetWorld } from '../../test/support/budget-world';
import type { BudgetLimit } from '../../workflows/budget/protocol';

const seconds = (count: number): number => count * 1_000;
const atOnce: BudgetLimit = { name: 'at once', kind: 'concurrent', max: 20 };
const day = (max: number, kind: 'rolling' | 'fixed' = 'rolling'): BudgetLimit => ({ name: 'day', kind, ms: 86_400_000, max });

/** Calls of a worker that calls without end, from its fifth second to its thirtieth. */
async function pace(limits: BudgetLimit[], workers = 1): Promise<{ world: BudgetWorld; calls: number }> {
  const world = new BudgetWorld({ seed: 1, limits });
  for (let index = 0; index < workers; index++) world.demand(world.startWorker(), { lane: 'backfill', backlog: 40 });
  await world.time.run(seconds(30));
  return { world, calls: world.count(seconds(5), seconds(30)) };
}

test.each([1, 3])('a day with room slows nobody down: %i workers go as fast as without it', async (workers) => {
  const without = await pace([atOnce], workers);
  const beside = await pace([atOnce, day(100_000)], workers);
  expect(beside.calls / without.calls).toBeGreaterThan(0.97);
  // And asks hardly more often.
  expect(beside.world.requests / without.world.requests).toBeLessThan(1.2);
});

test('at that pace live records use a day to its last call, and not one more', async () => {
  const world = new BudgetWorld({ seed: 1, limits: [day(6_000)] });
  for (let index = 0; index < 2; index++) world.demand(world.startWorker(), { lane: 'live', backlog: 40 });
  await world.time.run(seconds(60));
  expect(world.arrivals).toHaveLength(6_000);
});
