import type { Permit } from '../../connectors/permit';
import { BudgetWorld, worldScope } from '../../test/support/budget-world';
import type { BudgetLimit } from '../../workflows/budget/protocol';

/*
 * Between its permit and its request a call may wait: for a claim, a login, a booking. Meanwhile its worker may lose the
 * lease, and others get the slots.
 */
const seconds = (count: number): number => count * 1_000;
const perSecond: BudgetLimit = { name: 'w', kind: 'rolling', ms: 1_000, max: 20 };

test('a permit is good for fifteen seconds while its lease is renewed; not once the budget may have given its slots away', async () => {
  const world = new BudgetWorld({ seed: 1, limits: [perSecond] });
  const { gate } = world.startWorker();
  const permits: Permit[] = [];
  const take = () => void gate.acquire({ scopes: [worldScope], lane: 'live', sync: 's' }).then((permit) => permits.push(permit));
  take();
  await world.time.run(seconds(12));
  expect(permits.map((permit) => permit.expired!())).toEqual([false]);
  await world.time.run(seconds(20));
  expect(permits.map((permit) => permit.expired!())).toEqual([true]);
  take();
  await world.time.run(seconds(21));
  expect(permits.map((permit) => permit.expired!())).toEqual([true, false]);
  world.stalledUntil = seconds(40);
  await world.time.run(seconds(29));
  expect(permits.map((permit) => permit.expired!())).toEqual([true, true]);
});

/** A worker whose calls leave nine seconds after their permit is cut off from the budget again and again; another has the rest. Most calls in a window. */
async function lingering(heedless: boolean): Promise<number> {
  const world = new BudgetWorld({ seed: 2, limits: [perSecond] });
  const [slow, quick] = [world.startWorker(), world.startWorker()];
  world.demand(slow, { lane: 'backfill', backlog: 30, linger: [8_500, 9_500], heedless });
  world.demand(quick, { lane: 'backfill', backlog: 30 });
  for (let at = 5; at < 120; at += 20) {
    await world.time.run(seconds(at));
    world.cutOff = { worker: slow.name, until: seconds(at + 12) };
  }
  await world.time.run(seconds(130));
  return world.most(perSecond);
}

test('calls that leave long after their permit: one that is over is given back, and the limit holds', async () => {
  expect(await lingering(false)).toBeLessThanOrEqual(perSecond.max);
});

test('sent with all the same, the vendor would count too many', async () => {
  expect(await lingering(true)).toBeGreaterThan(perSecond.max);
});
