import { BudgetWorld, worldScope } from '../../test/support/budget-world';
import type { OffPeak } from '../../schemas/off-peak';
import type { BudgetLimit } from '../../workflows/budget/protocol';
import { change } from '../../workflows/budget/commands';

const perSecond: BudgetLimit[] = [{ name: 'w', kind: 'rolling', ms: 1_000, max: 10 }];
const night: OffPeak = { lanes: ['backfill', 'replay'], from: '22:00', to: '06:00', timeZone: 'Europe/Berlin' };
const minute = 60_000;
const hour = 60 * minute;
const scopes = [worldScope];

/** A world whose budget's clock starts at `startAt`, with workers. */
function stage(startAt: string, workers = 2) {
  const world = new BudgetWorld({ seed: 4, limits: perSecond, offPeak: night, startAt: Date.parse(startAt) });
  return { world, workers: Array.from({ length: workers }, () => world.startWorker()) };
}

describe('off-peak hours', () => {
  // 20:50 UTC is 21:50 in Berlin in winter: the hours begin in ten minutes.
  test('bulk lanes have no permit before they begin, all of the rest from the moment they do; live has what it wants all the time', async () => {
    const { world, workers } = stage('2026-01-10T20:50:00Z');
    workers.forEach((worker) => world.demand(worker, { lane: 'backfill', backlog: 20 }));
    const live = world.trickle(workers[0]!, { lane: 'live', everyMs: 2_000, to: 11 * minute });
    await world.time.run(12 * minute);
    const bulk = world.arrivals.filter(({ lane }) => lane === 'backfill');
    expect(bulk[0]!.at).toBeGreaterThanOrEqual(10 * minute);
    expect(bulk[0]!.at).toBeLessThan(10 * minute + 5_000);
    expect(world.count(10.2 * minute, 11.2 * minute, ({ lane }) => lane === 'backfill')).toBeGreaterThan(400);
    expect(live.length).toBeGreaterThan(250);
    expect(Math.max(...live.slice(1))).toBeLessThan(1_500);
    expect(world.most(perSecond[0]!)).toBeLessThanOrEqual(10);
  });

  test('and none from the moment they end, to the millisecond, across midnight', async () => {
    const { world, workers } = stage('2026-01-11T04:58:00Z');
    workers.forEach((worker) => world.demand(worker, { lane: 'replay', backlog: 20 }));
    workers.forEach((worker) => world.demand(worker, { lane: 'scheduled', backlog: 2 }));
    await world.time.run(5 * minute);
    expect(world.count(minute, 2 * minute, ({ lane }) => lane === 'replay')).toBeGreaterThan(30);
    // A call that left just before may arrive a moment after.
    expect(world.count(2 * minute + 30, 5 * minute, ({ lane }) => lane === 'replay')).toBe(0);
    expect(world.count(3 * minute, 5 * minute, ({ lane }) => lane === 'scheduled')).toBeGreaterThan(1_000);
  });

  test.each([
    ['in spring the night has seven hours', '2026-03-28T21:30:00Z', 6.5],
    ['in autumn nine', '2026-10-24T20:30:00Z', 8.5],
  ])('when the clocks change: %s', async (_name, startAt, hours) => {
    const { world, workers } = stage(startAt, 1);
    const { gate } = workers[0]!;
    const look = async (at: number) => {
      await world.time.run(at - 1_500);
      // Somebody asks, so that there is a lease.
      void gate.acquire({ scopes, lane: 'live', sync: 's' }).then((permit) => permit.giveBack());
      await world.time.run(at);
      return gate.tryAcquire({ scopes, lane: 'backfill', sync: 's' });
    };
    const before = await look(hours * hour - 1_000);
    expect(before).not.toBeNull();
    before?.giveBack();
    expect(await look(hours * hour + 8_000)).toBeNull();
    expect(gate.blocked(scopes, { lane: 'backfill', sync: 's' })).toMatchObject({ cause: 'off-peak' });
  });

  test('a queue of shut lanes is not polled until they begin, without a lease and without a request', async () => {
    const { world, workers } = stage('2026-01-10T12:00:00Z', 1);
    const { gate } = workers[0]!;
    void gate.acquire({ scopes, lane: 'live', sync: 's' }).then((permit) => permit.giveBack());
    await world.time.run(minute);
    const { requests } = world;
    expect(gate.closedForMs(scopes, 'backfill')).toBeGreaterThan(1_000);
    expect(gate.closedForMs(scopes, 'scheduled')).toBe(0);
    await world.time.run(8.9 * hour);
    expect(gate.closedForMs(scopes, 'backfill')).toBeGreaterThan(1_000);
    // 21:00 UTC: 22:00 in Berlin.
    expect(gate.blocked(scopes, { lane: 'backfill', sync: 's' })).toEqual({ cause: 'off-peak', untilMs: expect.any(Number) });
    expect(gate.blocked(scopes, { lane: 'backfill', sync: 's' })!.untilMs - 9 * hour).toBeLessThan(100); // a reply's way
    expect(world.requests).toBe(requests);
    await world.time.run(9 * hour + 100);
    expect(gate.closedForMs(scopes, 'backfill')).toBe(0);
    expect(gate.blocked(scopes, { lane: 'backfill', sync: 's' })).toBeNull();
  });

  test('a sync that an operator moved to another lane keeps that lane’s hours', async () => {
    const { world, workers } = stage('2026-01-10T12:00:00Z', 1);
    const { gate } = workers[0]!;
    world.demand(workers[0]!, { lane: 'live', sync: 'x', backlog: 2 });
    await world.time.run(minute);
    change(world.state, { kind: 'priority', sync: 'x', lane: 'backfill' });
    await world.time.run(minute + 5_000);
    expect(gate.blocked(scopes, { lane: 'live', sync: 'x' })).toMatchObject({ cause: 'off-peak' });
    expect(gate.blocked(scopes, { lane: 'live', sync: 'y' })).toBeNull();
    expect(world.count(minute + 5_000, 2 * minute)).toBe(0);
  });
});

test('a pause holds one sync and nobody else, within seconds; what waits in workflows looks again after half its length', async () => {
  const world = new BudgetWorld({ seed: 6, limits: perSecond });
  const workers = [world.startWorker(), world.startWorker()];
  workers.forEach((worker) => ['x', 'y'].forEach((sync) => world.demand(worker, { lane: 'live', sync, backlog: 5 })));
  await world.time.run(30_000);
  change(world.state, { kind: 'pause', what: 'sync:x' });
  await world.time.run(60_000);
  expect(world.count(33_000, 60_000, ({ sync }) => sync === 'x')).toBe(0);
  expect(world.count(40_000, 60_000, ({ sync }) => sync === 'y')).toBeGreaterThan(170);
  const { gate } = workers[0]!;
  expect(gate.blocked(scopes, { lane: 'live', sync: 'y' })).toBeNull();
  expect(gate.blocked(scopes, { lane: 'live', sync: 'x' })).toEqual({ cause: 'paused', untilMs: expect.any(Number) });
  const againIn = () => gate.blocked(scopes, { lane: 'live', sync: 'x' })!.untilMs - world.time.now;
  expect(againIn()).toBeLessThan(16_000);
  await world.time.run(4 * minute);
  expect(againIn()).toBeGreaterThan(90_000);
  change(world.state, { kind: 'resume', what: 'all' });
  await world.time.run(4 * minute + 20_000);
  expect(world.count(4 * minute + 3_000, 4 * minute + 20_000, ({ sync }) => sync === 'x')).toBeGreaterThan(60);
});

test('a sync moved to another lane keeps it, and that lane’s pause, after a minute without a record; moved back, it goes', async () => {
  const world = new BudgetWorld({ seed: 7, limits: perSecond });
  const worker = world.startWorker();
  world.demand(worker, { lane: 'live', sync: 'busy', backlog: 3 });
  world.demand(worker, { lane: 'live', sync: 'x', backlog: 2, to: 10_000 });
  await world.time.run(10_000);
  change(world.state, { kind: 'priority', sync: 'x', lane: 'replay' });
  change(world.state, { kind: 'pause', what: 'lane:replay' });
  await world.time.run(90_000);
  world.demand(worker, { lane: 'live', sync: 'x', backlog: 1, from: 90_000 });
  await world.time.run(100_000);
  expect(world.count(15_000, 100_000, ({ sync }) => sync === 'x')).toBe(0);
  expect(worker.gate.blocked(scopes, { lane: 'live', sync: 'x' })).toMatchObject({ cause: 'paused' });
  change(world.state, { kind: 'priority', sync: 'x', lane: null });
  await world.time.run(110_000);
  expect(world.count(100_000, 110_000, ({ sync }) => sync === 'x')).toBeGreaterThan(10);
});

test('all lanes of a queue paused: the fast path’s go to the queue at once; what the queue brings all the same, or stays polled, looks again later', async () => {
  const world = new BudgetWorld({ seed: 7, limits: perSecond });
  const worker = world.startWorker();
  world.demand(worker, { lane: 'live', backlog: 5 });
  await world.time.run(10_000);
  change(world.state, { kind: 'pause', what: 'all' });
  await world.time.run(20_000);
  const waitMs = (how: { queued?: boolean; polled?: boolean }) => worker.gate.blocked(scopes, { lane: 'live', sync: 's', ...how })!.untilMs - world.time.now;
  expect(waitMs({})).toBe(0);
  expect(waitMs({ queued: true })).toBe(15_000);
  expect(waitMs({ queued: true, polled: true })).toBeGreaterThanOrEqual(15_000);
  // However long it lasts: once the polls are over it stays in the queue, and that is left within seconds.
  await world.time.run(5 * minute);
  expect(waitMs({ queued: true })).toBe(15_000);
  expect(waitMs({ polled: true })).toBeGreaterThan(120_000);
});

test('while a record that was sent back may come again, the lease is kept: its queue is not polled meanwhile; then silence', async () => {
  const world = new BudgetWorld({ seed: 7, limits: perSecond });
  const { gate } = world.startWorker();
  change(world.state, { kind: 'pause', what: 'all' });
  const learn = async () => {
    const stop = new AbortController();
    void gate.acquire({ scopes, lane: 'live', sync: 's', signal: stop.signal }).catch(() => undefined);
    await world.time.run(world.time.now + 1_000);
    stop.abort();
  };
  await learn();
  await world.time.run(30_000);
  // Nothing was held here: it has fallen silent, and is open for work.
  expect(gate.closedForMs(scopes, 'live')).toBe(0);
  await learn();
  expect(gate.blocked(scopes, { lane: 'live', sync: 's', queued: true })).toMatchObject({ cause: 'paused' });
  await world.time.run(15 * minute);
  expect(gate.closedForMs(scopes, 'live')).toBeGreaterThan(1_000);
  await world.time.run(16 * minute);
  const { requests } = world;
  await world.time.run(30 * minute);
  expect(world.requests).toBe(requests);
});

test('a queue that another quota’s records come by as well is polled for those: what is paused waits in its workflow', async () => {
  const world = new BudgetWorld({ seed: 7, limits: perSecond });
  const besides = () => [scopes, [{ vendor: 'v', scope: 'main.other' }]];
  const { gate } = world.startWorker({ besides });
  void gate.acquire({ scopes, lane: 'live', sync: 's' }).then((permit) => permit.giveBack());
  change(world.state, { kind: 'pause', what: 'all' });
  await world.time.run(3_000);
  const waitMs = () => gate.blocked(scopes, { lane: 'live', sync: 's' })!.untilMs - world.time.now;
  expect(waitMs()).toBeGreaterThanOrEqual(15_000);
});

test('a spent day holds at once what reaches a worker after all; a second’s rest after a 429 does not', async () => {
  const day: BudgetLimit = { name: 'day', kind: 'fixed', ms: 24 * hour, max: 30 };
  const world = new BudgetWorld({ seed: 8, limits: [...perSecond, day], startAt: Date.parse('2026-03-02T01:00:00Z') });
  const worker = world.startWorker();
  world.demand(worker, { lane: 'live', backlog: 3 });
  await world.time.run(1_000);
  expect(worker.gate.blocked(scopes, { lane: 'live', sync: 's' })).toBeNull();
  await world.time.run(minute);
  const blocked = worker.gate.blocked(scopes, { lane: 'live', sync: 's' });
  expect(blocked).toEqual({ cause: 'budget', untilMs: expect.any(Number) });
  expect(blocked!.untilMs - world.time.now).toBeGreaterThan(10 * minute);
});
