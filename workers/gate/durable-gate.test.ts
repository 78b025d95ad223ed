import type { Permit, PermitRequest } from '../../connectors/permit';
import type { Lane } from '../../schemas/plan';
import { BudgetWorld, worldScope as scope } from '../../test/support/budget-world';
import { leaseRequest } from '../../test/support/lease-request';
import { lease } from '../../workflows/budget/lease';
import type { BudgetLimit } from '../../workflows/budget/protocol';
import { newBudget } from '../../workflows/budget/state';
import { checkCommand, checkLease, checkLimits, checkShares } from '../../workflows/budget/validate';

const ask = (lane: Lane = 'live', scopes = [scope]): PermitRequest => ({ scopes, lane, sync: 's' });
const ok = { status: 200, headers: {} };
const perSecond: BudgetLimit[] = [{ name: 'w', kind: 'rolling', ms: 1_000, max: 10 }];

function stage(limits: BudgetLimit[] = perSecond, workers = 1) {
  const world = new BudgetWorld({ seed: 1, limits });
  return { world, workers: Array.from({ length: workers }, () => world.startWorker()) };
}

test('a 429 pauses every worker of the scope for what the vendor asked, and lowers the ceiling for a while', async () => {
  const { world, workers } = stage(perSecond, 2);
  const [one, two] = workers.map(({ gate }) => gate);
  void one!.acquire(ask()).then((permit) => permit.done({ status: 429, headers: {}, rateLimited: { retryAfterMs: 7_000 } }));
  void two!.acquire(ask()).then((permit) => permit.done(ok));
  await world.time.run(4_000);
  expect(one!.tryAcquire(ask())).toBeNull();
  expect(one!.closedForMs([scope], 'live')).toBeGreaterThan(2_000);
  expect(two!.closedForMs([scope], 'live')).toBeGreaterThan(2_000);
  expect(world.state.slots[0]!.ceiling).toBeLessThan(1);
  world.demand(workers[1]!, { lane: 'live', backlog: 5 });
  await world.time.run(60_000);
  expect(world.arrivals[0]!.at).toBeGreaterThan(7_000);
  expect(world.count(50_000, 60_000)).toBeGreaterThan(85);
});

test('half-open: a login, or a second request, of the probe’s call goes with it; nobody else’s does', async () => {
  const { world, workers } = stage();
  const { gate } = workers[0]!;
  const fail = async (record: number): Promise<void> => {
    const permit = await gate.acquire(ask());
    permit.done({ status: 503, headers: {} });
    gate.report([scope], { answered: [], failed: [`r${record}`], connection: false });
  };
  for (let record = 0; record < 5; record++) void fail(record);
  await world.time.run(20_000);
  expect(gate.openUntil([scope])).toBeGreaterThan(world.time.now);
  const got: string[] = [];
  const next = (name: string, more: Partial<PermitRequest> = {}) =>
    gate.acquire({ ...ask(), ...more }).then((permit) => {
      got.push(name);
      return permit;
    });
  const first = next('probe');
  while (got.length === 0) await world.time.run(world.time.now + 500);
  const permit = await first;
  const { now } = world.time;
  expect([permit.probe, gate.admit([scope])]).toEqual([true, { kind: 'probe' }]);
  permit.done(ok); // the login
  void next('another');
  void next('its request', { probe: true }).then((further) => further.done(ok));
  await world.time.run(now + 3_000);
  expect(got).toEqual(['probe', 'its request']);
  gate.report([scope], { answered: ['r1'], failed: [], connection: false });
  await world.time.run(now + 20_000);
  expect(got).toEqual(['probe', 'its request', 'another']);
});

test('a permit only tried, and given back, is no sign of live calls to come: bulk has all of the window', async () => {
  const { world, workers } = stage();
  void workers[0]!.gate.acquire({ scopes: [scope], lane: 'live', sync: 'worker' }).then((permit) => permit.giveBack());
  world.demand(workers[0]!, { lane: 'backfill', backlog: 5, from: 1_000 });
  await world.time.run(10_000);
  expect(world.state.workers['w1']!.demand.map(({ sync }) => sync)).toEqual(['backfill']);
});

test('a permit given back is no service: who could not use it has its turn all the same', async () => {
  const { world, workers } = stage([{ name: 'w', kind: 'rolling', ms: 1_000, max: 20 }]);
  world.demand(workers[0]!, { lane: 'live', sync: 'a', backlog: 30, giveBack: 0.5 });
  world.demand(workers[0]!, { lane: 'live', sync: 'b', backlog: 30 });
  await world.time.run(60_000);
  const part = world.count(10_000, 60_000, ({ sync }) => sync === 'a') / world.count(10_000, 60_000);
  expect(part).toBeCloseTo(0.5, 1);
});

test('a spent day: nothing more goes, and nothing is asked for while nobody waits', async () => {
  const { world, workers } = stage([...perSecond, { name: 'day', kind: 'rolling', ms: 3_600_000, max: 50 }]);
  world.demand(workers[0]!, { lane: 'live', backlog: 5, to: 60_000 });
  await world.time.run(60_000);
  expect(world.arrivals.length).toBeGreaterThan(45);
  expect(world.arrivals.length).toBeLessThanOrEqual(50);
  expect(workers[0]!.gate.closedForMs([scope], 'live')).toBeGreaterThan(60_000);
  await world.time.run(4_000_000);
  world.demand(workers[0]!, { lane: 'live', backlog: 5, to: 4_030_000 });
  await world.time.run(4_030_000);
  expect(world.count(4_000_000, 4_030_000)).toBeGreaterThan(40);
});

/** Records that are sent again until they land, two thirds of a call's time at the vendor; it is down until `recover`. */
function outage(limits: BudgetLimit[], workerCount: number, records = 4) {
  const { world, workers } = stage(limits, workerCount);
  const calls: { at: number; doneAt: number }[] = [];
  let down = true;
  workers.forEach(({ gate }, worker) => {
    const one = async (record: number): Promise<void> => {
      for (;;) {
        const permit = await gate.acquire(ask());
        if (gate.admit([scope]).kind === 'shut') permit.giveBack();
        else {
          calls.push({ at: world.time.now, doneAt: world.time.now + 30 });
          await new Promise<void>((resolve) => world.time.after(30, resolve));
          permit.done({ status: down ? 503 : 200, headers: {} });
          const keys = [`${worker}-${record}`];
          gate.report([scope], { answered: down ? [] : keys, failed: down ? keys : [], connection: false });
        }
      }
    };
    for (let record = 0; record < records; record++) void one(record);
  });
  /** From `at` on the vendor works; resolves to when the first call of ours met that. */
  const recover = async (at: number): Promise<number> => {
    await world.time.run(at);
    down = false;
    const probed = (): number | undefined => calls.find((call) => call.at > at)?.at;
    for (let minute = 1; minute <= 16 && probed() === undefined; minute++) await world.time.run(at + minute * 60_000);
    return probed()!;
  };
  return { world, calls, recover };
}

test('a two-hour outage: one call at a time tests the vendor, ever more rarely; when it is back the rate grows slowly', async () => {
  const { world, calls, recover } = outage([{ name: 'w', kind: 'rolling', ms: 1_000, max: 20 }], 3);
  const back = await recover(2 * 3_600_000);
  const before = calls.filter(({ at }) => at < back);
  expect(before.filter(({ at }) => at > 60_000).length).toBeLessThan(15);
  expect(before.length).toBeLessThan(60);
  await world.time.run(back + 60_000);
  const within = (from: number, to: number) => calls.filter(({ at }) => at >= back + from && at < back + to).length;
  expect(within(0, 5_000)).toBeLessThan(45);
  expect(within(30_000, 40_000)).toBeGreaterThan(150);
});

test.each<[string, BudgetLimit[], number]>([
  ['calls at once', [{ name: 'at once', kind: 'concurrent', max: 20 }], 20],
  ['a day', [{ name: 'day', kind: 'rolling', ms: 86_400_000, max: 100_000 }], 25],
])('a vendor that limits only %s: after an outage ever more calls at once, not all of them', async (_, limits, most) => {
  const { world, calls, recover } = outage(limits, 1, 25);
  const back = await recover(120_000);
  await world.time.run(back + 40_000);
  const atOnce = (from: number, to: number): number => {
    const then = calls.filter(({ at }) => at >= back + from && at < back + to);
    return Math.max(...then.map(({ at }) => then.filter((other) => other.at <= at && other.doneAt > at).length));
  };
  expect(atOnce(0, 3_000)).toBeLessThanOrEqual(4);
  expect(atOnce(8_000, 10_000)).toBeGreaterThan(4);
  expect(atOnce(8_000, 10_000)).toBeLessThanOrEqual(12);
  expect(atOnce(30_000, 40_000)).toBe(most);
});

test('several scopes: all permits or none, and an empty one blocks nobody else', async () => {
  const other = { vendor: 'v', scope: 'other' };
  const budgets = { main: newBudget(0), other: newBudget(0) };
  const world = new BudgetWorld({ seed: 1, limits: [] });
  const { gate } = world.startWorker({
    scope: ({ scope: name }) => ({ worker: 'w', limits: [{ name: 'c', kind: 'concurrent', max: name === 'main' ? 1 : 5 }] }),
    lease: async ({ scope: name }, request) => lease(budgets[name as 'main' | 'other'], request, world.time.now),
  });
  const got: Permit[] = [];
  for (let count = 0; count < 2; count++) void gate.acquire(ask('live', [scope, other])).then((permit) => got.push(permit));
  await world.time.run(2_000);
  expect(got).toHaveLength(1);
  for (let count = 0; count < 4; count++) void gate.acquire(ask('live', [other])).then((permit) => got.push(permit));
  await world.time.run(4_000);
  expect(got.length).toBeGreaterThanOrEqual(4);
});

test('an aborted wait leaves the line; a permit ends once; a cost is a whole number above 0', async () => {
  const { world, workers } = stage([{ name: 'c', kind: 'concurrent', max: 1 }]);
  const { gate } = workers[0]!;
  const first = gate.acquire(ask());
  await world.time.run(1_000);
  const abort = new AbortController();
  const waiting = gate.acquire({ ...ask(), signal: abort.signal });
  abort.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  const permit = await first;
  permit.done(ok);
  expect(() => permit.giveBack()).toThrow('ended twice');
  expect(() => gate.tryAcquire({ ...ask(), cost: -1 })).toThrow('cost is -1');
});

test('who declares no limits, of a scope that has some, changes nothing: it is of another version', () => {
  const state = newBudget(0);
  lease(state, leaseRequest({ limits: perSecond }), 1_000);
  const reply = lease(
    state,
    leaseRequest({ worker: 'b', limits: [], demand: [{ sync: 's', lane: 'live', waiting: 3, full: false, used: [], spent: 0 }] }),
    1_001,
  );
  expect(reply.slots.map(({ name, max }) => [name, max])).toEqual([['w', 10]]);
});

test('a request answered before is not answered again: a late copy changes nothing', () => {
  const state = newBudget(0);
  const request = leaseRequest({ seq: 2, limits: perSecond, demand: [{ sync: 's', lane: 'live', waiting: 3, full: false, used: [], spent: 0 }] });
  const reply = lease(state, request, 1_000);
  expect(reply.slots[0]!.grant).toBeGreaterThan(0);
  const before = JSON.stringify(state.workers);
  expect(lease(state, { ...request, seq: 1 }, 1_001)).toMatchObject({ stale: true });
  expect(lease(state, request, 1_002)).toMatchObject({ stale: true });
  expect(JSON.stringify(state.workers)).toBe(before);
});

describe('bad input is named', () => {
  test.each([
    [() => checkShares({ a: 0.7, b: 0.5 }), 'sum to 1.2, more than 1: a 0.7, b 0.5'],
    [() => checkShares({ a: -1 }), 'share of a is -1'],
    [() => checkLimits([...perSecond, ...perSecond]), 'limit w is declared twice'],
    [() => checkLimits([{ name: 'x', kind: 'fixed', ms: 0, max: 1 }]), 'limit x has a window of 0 ms'],
    [() => checkCommand({ kind: 'pause', what: 'everything' }, {}), 'cannot be paused; expected all'],
    [() => checkCommand({ kind: 'share', sync: 'b', share: 0.6 }, { a: 0.5 }), 'more than 1'],
    [() => checkLease(leaseRequest({ slots: [{ name: 'w', holding: -1, gaveUp: [] }] })), 'slots held of w: -1'],
  ])('%#', (act, words) => {
    expect(act).toThrow(words);
  });

  test('a reading of a window nobody declared, or without numbers, changes nothing; the stricter of two maxima counts', () => {
    const state = newBudget(0);
    const request = leaseRequest({ limits: perSecond });
    lease(
      state,
      {
        ...request,
        readings: [
          { name: 'unknown', remaining: 0, own: 0 },
          { name: 'w', own: 0 },
          { name: 'w', max: 99, own: 0 },
        ],
      },
      0,
    );
    expect(state.slots[0]).toMatchObject({ said: 0, foreign: 0 });
    lease(state, { ...request, seq: 2, readings: [{ name: 'w', max: 5, own: 0 }] }, 0);
    expect(state.slots[0]).toMatchObject({ said: 5 });
  });
});
