import { BudgetWorld } from '../../test/support/budget-world';
import type { BudgetLimit } from '../../workflows/budget/protocol';
import { Refusals } from './refusals';

const limits: BudgetLimit[] = [{ name: 'w', kind: 'rolling', ms: 1_000, max: 50 }];

test.each([
  ['says 0', 0],
  ['says nothing', undefined],
])('a vendor that refuses for 30 s and %s is asked a few times, ever more rarely, and is in use again soon after', async (_name, retryAfterMs) => {
  const asked: number[] = [];
  const verdict = (now: number) => {
    if (now >= 30_000) return { status: 200 };
    asked.push(now);
    return { status: 429, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  };
  const world = new BudgetWorld({ seed: 1, limits, verdict });
  const workers = [world.startWorker(), world.startWorker()];
  workers.forEach((worker) => world.demand(worker, { lane: 'live', backlog: 5 }));
  await world.time.run(60_000);
  // Ten records wait: each meets a refusal once per pause at most.
  expect(asked.length).toBeLessThanOrEqual(60);
  expect(asked.filter((at) => at > 15_000).length).toBeLessThanOrEqual(20);
  expect(world.arrivals[0]!.at).toBeLessThan(42_000);
});

test('what the vendor asks counts where it is longer than our own doubt, which grows all the same', () => {
  const refusals = new Refusals();
  refusals.note({ sync: 's', retryAfterMs: 7_000 }, 0, 1);
  expect(refusals.until).toBe(7_000);
  refusals.note({ sync: 's', retryAfterMs: 0 }, 8_000, 1);
  expect(refusals.until).toBe(10_000);
  // One that was on its way together with it is the same lesson.
  refusals.note({ sync: 's', retryAfterMs: 0 }, 8_100, 1);
  expect(refusals.until).toBe(10_100);
});
