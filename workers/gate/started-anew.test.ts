import type { LimitReading } from '../../connectors/connector';
import { BudgetWorld } from '../../test/support/budget-world';
import { newBudget } from '../../workflows/budget/state';
import type { BudgetLimit } from '../../workflows/budget/protocol';

const seconds = (count: number): number => count * 1_000;
const rolling: BudgetLimit = { name: 'w', kind: 'rolling', ms: 10_000, max: 100 };

test('a budget that was lost while its workers live on asks them for the limits: it never says yes to everything', async () => {
  const world = new BudgetWorld({ seed: 3, limits: [rolling] });
  const workers = [world.startWorker(), world.startWorker()];
  workers.forEach((worker) => world.demand(worker, { lane: 'backfill', backlog: 50 }));
  await world.time.run(seconds(60));
  // Somebody terminates the workflow: the next request starts it anew, and it knows nothing.
  world.state = newBudget(world.state.now);
  await world.time.run(seconds(120));
  expect(world.state.slots.map(({ name, max }) => [name, max])).toEqual([['w', 100]]);
  // What was held before it was lost may be granted once more; from then on the limit holds, and is used.
  expect(world.count(seconds(60), seconds(70))).toBeLessThanOrEqual(2 * 100);
  for (let at = 75; at < 110; at += 5) expect(world.count(seconds(at), seconds(at + 10))).toBeLessThanOrEqual(100);
  expect(world.count(seconds(80), seconds(120)) / 400).toBeGreaterThan(0.95);
});

test('a day that others spent is looked at from time to time: the vendor’s may begin before ours does', async () => {
  const hour = 3_600_000;
  const day: BudgetLimit = { name: 'day', kind: 'fixed', ms: 24 * hour, max: 1_000 };
  let spentByOthers = 1_000;
  let calls = 0;
  const verdict = () => {
    calls++;
    const remaining = Math.max(0, 1_000 - spentByOthers - calls);
    const readings: LimitReading[] = [{ limit: 'day', max: 1_000, remaining }];
    return { status: 200, readings };
  };
  const world = new BudgetWorld({ seed: 4, limits: [rolling, day], startAt: Date.parse('2026-03-02T01:00:00Z'), verdict });
  world.demand(world.startWorker(), { lane: 'backfill', backlog: 3 });
  await world.time.run(seconds(600));
  const before = calls;
  await world.time.run(seconds(600) + 2 * hour);
  // Hardly a call while nothing is left …
  expect(calls - before).toBeLessThanOrEqual(6);
  // … and at the vendor's midnight, long before ours, work goes on within the half hour.
  spentByOthers = 0;
  calls = 0;
  await world.time.run(seconds(600) + 2 * hour + hour);
  expect(calls).toBeGreaterThan(500);
});
