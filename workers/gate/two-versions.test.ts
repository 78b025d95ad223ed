import { BudgetWorld, type VirtualWorker } from '../../test/support/budget-world';
import type { BudgetLimit, LeaseReply, LeaseRequest } from '../../workflows/budget/protocol';

const seconds = (count: number): number => count * 1_000;
const limits: BudgetLimit[] = [
  { name: 'w', kind: 'rolling', ms: 10_000, max: 100 },
  { name: 'day', kind: 'rolling', ms: 86_400_000, max: 5_000 },
  { name: 'at once', kind: 'concurrent', max: 40 },
];

/** What a message had before everything that was added since the first version: whatever may be left out, is. */
function firstVersionOf<T extends LeaseRequest | LeaseReply>(message: T): T {
  const old: any = structuredClone(message);
  for (const field of ['offPeak', 'readings', 'alerted', 'alerts', 'answeredMs', 'unknown', 'calls', 'lanes']) delete old[field];
  for (const count of old.counts) delete count.bulk;
  for (const group of old.demand ?? []) delete group.cost;
  if (old.breaker) delete old.breaker.suspects;
  return old;
}

/** A message of a version to come: fields nobody here knows, at every level. */
function laterVersionOf<T extends LeaseRequest | LeaseReply>(message: T): T {
  const added = { lastingly: true, since: 3 };
  const later: any = { ...structuredClone(message), hints: [added] };
  for (const list of ['slots', 'counts', 'demand', 'groups', 'failures', 'calls']) later[list]?.forEach((one: object) => Object.assign(one, { hints: added }));
  return later;
}

type Version = typeof firstVersionOf | typeof laterVersionOf | undefined;

/** A worker whose messages pass through another version on both ways. */
function startWorker(world: BudgetWorld, version: Version): VirtualWorker {
  if (!version) return world.startWorker();
  return world.startWorker({ lease: async (_scope, request) => version(await world.lease(version(JSON.parse(JSON.stringify(request)) as LeaseRequest))) });
}

test.each([
  { lost: 0, seed: 1 },
  { lost: 0.1, seed: 2 },
])(
  'workers of three versions share a budget, $lost of the messages lost: never over a limit, as much of it used as by one version, nobody starves',
  async ({ lost, seed }) => {
    const run = async (versions: Version[]) => {
      const world = new BudgetWorld({ seed, limits, lost });
      const workers = versions.map((version) => startWorker(world, version));
      workers.forEach((worker) => world.demand(worker, { lane: 'backfill', backlog: 30 }));
      await world.time.run(seconds(180));
      return { world, workers };
    };
    const { world, workers } = await run([firstVersionOf, undefined, laterVersionOf]);
    for (const limit of limits) expect(world.most(limit)).toBeLessThanOrEqual(limit.max);
    expect(world.overheld).toEqual([]);
    const late = world.count(seconds(60), seconds(180));
    const alike = await run([undefined, undefined, undefined]);
    expect(late / alike.world.count(seconds(60), seconds(180))).toBeGreaterThan(0.95);
    for (const { name } of workers) expect(world.count(seconds(60), seconds(180), ({ worker }) => worker === name) / late).toBeGreaterThan(0.2);
  },
);

test('a rolling deploy: workers of the first version leave one by one while later ones come; the limit holds all the while', async () => {
  const world = new BudgetWorld({ seed: 7, limits });
  const old = [startWorker(world, firstVersionOf), startWorker(world, firstVersionOf)];
  old.forEach((worker) => world.demand(worker, { lane: 'backfill', backlog: 30 }));
  await world.time.run(seconds(30));
  for (const [index, worker] of old.entries()) {
    world.demand(startWorker(world, laterVersionOf), { lane: 'backfill', backlog: 30 });
    await world.time.run(seconds(45 + 30 * index));
    worker.crash(); // not even a goodbye
    await world.time.run(seconds(60 + 30 * index));
  }
  await world.time.run(seconds(150));
  for (const limit of limits) expect(world.most(limit)).toBeLessThanOrEqual(limit.max);
  expect(world.count(seconds(120), seconds(150)) / 300).toBeGreaterThan(0.97);
});
