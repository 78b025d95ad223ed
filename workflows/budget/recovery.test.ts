import { leaseRequest } from '../../test/support/lease-request';
import { lease } from './lease';
import type { BudgetLimit, LeaseReply, LeaseRequest } from './protocol';
import { rampMs } from './recovery';
import { newBudget } from './state';

const limits: BudgetLimit[] = [{ name: 'w', kind: 'rolling', ms: 1_000, max: 10 }];

/** A budget whose breaker five failures of three records have opened at 0, and workers that ask. */
function opened() {
  const state = newBudget(0);
  const workers = new Map<string, { seq: number; term: number }>();
  const ask = (worker: string, now: number, change: Partial<LeaseRequest> = {}, waiting = 1): LeaseReply => {
    const known = workers.get(worker) ?? { seq: 0, term: 0 };
    workers.set(worker, known);
    known.seq++;
    const demand = [{ sync: 's', lane: 'live' as const, waiting, full: false, used: [0], spent: 0 }];
    const reply = lease(state, leaseRequest({ worker, term: known.term, seq: known.seq, ack: known.seq - 1, limits, demand, ...change }), now);
    known.term = reply.term;
    return reply;
  };
  ask('a', 0, { failures: Array.from({ length: 5 }, (_, index) => ({ ms: 0, records: [`r${index}`], connection: false, since: 1 })) });
  return { state, ask };
}

test('open: nobody calls, everybody hears for how long', () => {
  const { ask } = opened();
  expect(ask('a', 1_000).breaker).toMatchObject({ openMs: 29_000, halfOpen: false, probe: false });
  expect(ask('b', 2_000).breaker).toMatchObject({ openMs: 28_000, probe: false });
});

test('half-open: the first worker that has something to send makes the one call; one without work is not asked', () => {
  const { ask } = opened();
  expect(ask('idle', 30_000, {}, 0).breaker).toMatchObject({ halfOpen: true, probe: false });
  expect(ask('b', 30_100).breaker).toMatchObject({ halfOpen: true, probe: true });
  expect(ask('a', 30_200).breaker).toMatchObject({ halfOpen: true, probe: false });
});

test('a bad probe doubles the spell; a good one closes it, and the rate grows from a tenth to all', () => {
  const { ask, state } = opened();
  ask('b', 30_000);
  expect(ask('b', 31_000, { probe: 'bad' }).breaker).toMatchObject({ openMs: 60_000, probe: false });
  expect(ask('a', 91_000).breaker.probe).toBe(true);
  const closed = ask('a', 92_000, { probe: 'good', answeredMs: 10 }).breaker;
  expect(closed).toMatchObject({ openMs: 0, halfOpen: false, ramp: 0.1 });
  const ramps = [0.25, 0.5, 0.75, 1, 2].map((part) => ask('b', 92_000 + part * rampMs).breaker.ramp);
  expect(ramps.map((ramp) => Math.round(ramp * 1000) / 1000)).toEqual([0.325, 0.55, 0.775, 1, 1]);
  expect(state.prober).toBe('');
});

test('a probing worker that dies, leaves or did not need it: the next one tests', () => {
  const dies = opened();
  dies.ask('b', 30_000);
  // Its lease of 6 s and a second of slack are over.
  expect(dies.ask('a', 36_000).breaker.probe).toBe(false);
  expect(dies.ask('a', 37_500).breaker.probe).toBe(true);
  const leaves = opened();
  leaves.ask('b', 30_000);
  leaves.ask('b', 30_500, { release: true });
  expect(leaves.ask('a', 30_600).breaker.probe).toBe(true);
  const unused = opened();
  unused.ask('b', 30_000);
  unused.ask('b', 30_500, { probe: 'unused' }, 0);
  expect(unused.ask('a', 30_600).breaker.probe).toBe(true);
});

test('an answer to a call from before the outage does not end it; failures told twice count once', () => {
  const { ask, state } = opened();
  expect(ask('b', 5_000, { answeredMs: 4_900 }).breaker.openMs).toBe(25_000);
  const once = newBudget(0);
  const request = leaseRequest({ limits, failures: [{ ms: 0, records: ['r1', 'r2', 'r3'], connection: false, since: 1 }] });
  for (let seq = 1; seq <= 6; seq++) lease(once, { ...request, seq, term: seq === 1 ? 0 : 1 }, seq * 100);
  expect(once.breaker.failures).toHaveLength(1);
  expect(state.landedAt).toBe(100);
});

test('records that opened it, and those that failed as probes, are named until it is closed', () => {
  const { ask, state } = opened();
  const five = ['r0', 'r1', 'r2', 'r3', 'r4'];
  expect(ask('b', 30_000).breaker).toMatchObject({ probe: true, suspects: five });
  const failures = [{ ms: 0, records: ['r9'], connection: false, since: 2 }];
  expect(ask('b', 31_000, { probe: 'bad', failures }).breaker.suspects).toEqual([...five, 'r9']);
  ask('a', 91_000);
  expect(ask('a', 92_000, { probe: 'good' }).breaker.suspects).toBeUndefined();
  expect(state.breaker.suspects).toEqual([]);
});
