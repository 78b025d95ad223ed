import { BudgetWorld } from '../../test/support/budget-world';

const seconds = (count: number): number => count * 1_000;

// Several groups in one process: there live calls stand ready for every slot in the moment it is free.
test.each([
  ['a lower lane has its twentieth', { name: 'w', kind: 'rolling', ms: 1_000, max: 20 } as const, {}, 0.045],
  ['a share holds against a higher lane, in a window that fills at once', { name: 'w', kind: 'rolling', ms: 10_000, max: 100 } as const, { bulk: 0.3 }, 0.28],
])('under a flood of live calls in the same worker %s', async (_name, limit, shares, atLeast) => {
  const world = new BudgetWorld({ seed: 1, limits: [limit], shares });
  const worker = world.startWorker();
  world.demand(worker, { lane: 'backfill', sync: 'bulk', backlog: 50 });
  world.demand(worker, { lane: 'live', sync: 'flood', backlog: 200 });
  await world.time.run(seconds(130));
  const possible = (limit.max * 120_000) / limit.ms;
  const [bulk, all] = [world.count(seconds(10), seconds(130), ({ sync }) => sync === 'bulk'), world.count(seconds(10), seconds(130))];
  expect(bulk / possible).toBeGreaterThan(atLeast);
  expect(all / possible).toBeGreaterThan(0.9);
  // The rest is the flood's: a guarantee is no more than that.
  expect(bulk / possible).toBeLessThan(atLeast + 0.05);
});
