import { noAlerts, type BudgetAlert } from './alerts';
import { lease } from './lease';
import type { BudgetLimit, LeaseRequest } from './protocol';
import { newBudget } from './state';

const minute = 60_000;
const day = 24 * 60 * minute;
const limits: BudgetLimit[] = [
  { name: 'burst', kind: 'rolling', ms: 10_000, max: 100 },
  { name: 'day', kind: 'fixed', ms: day, max: 1_000 },
];

/** A budget and workers that tell it what they spent; every alert that was handed out, by worker. */
function stage(start = day) {
  const state = newBudget(start);
  const told: (BudgetAlert & { to: string })[] = [];
  const workers = new Map<string, { seq: number; term: number; spent: number; alerted: string[] }>();
  let now = start;
  return {
    state,
    told,
    /** One renewal: `spends` units of the day since the last, `burst` units in the short window now. */
    renew(worker: string, change: { after?: number; spends?: number; burst?: number; deliver?: boolean } = {}) {
      now += change.after ?? 1_000;
      const known = workers.get(worker) ?? { seq: 0, term: 0, spent: 0, alerted: [] };
      workers.set(worker, known);
      known.seq++;
      known.spent += change.spends ?? 0;
      const request: LeaseRequest = {
        v: 1,
        worker,
        term: known.term,
        seq: known.seq,
        ack: known.seq - 1,
        ...(known.seq === 1 ? { limits } : {}),
        slots: [],
        counts: [{ name: 'day', left: 0, spent: known.spent }],
        demand: [{ sync: 's', lane: 'live', waiting: 0, full: false, used: [change.burst ?? 0], spent: known.spent }],
        ...(known.alerted.length > 0 ? { alerted: known.alerted } : {}),
      };
      known.alerted = [];
      const reply = lease(state, request, now);
      known.term = reply.term;
      if (reply.fresh) known.spent = change.spends ?? 0;
      for (const alert of reply.alerts ?? []) {
        told.push({ ...alert, to: worker });
        if (change.deliver !== false) known.alerted.push(alert.id);
      }
    },
  };
}

test('a day at 70 % is one message, whichever workers ask; a new day is one recovery', () => {
  const { renew, told, state } = stage();
  renew('a');
  renew('b');
  renew('a', { spends: 400 });
  renew('b', { spends: 299 });
  expect(told).toEqual([]);
  renew('a', { spends: 1 });
  for (let more = 0; more < 10; more++) renew(more % 2 ? 'a' : 'b', { spends: 20 });
  expect(told).toHaveLength(1);
  expect(told[0]).toMatchObject({
    kind: 'high',
    window: 'day',
    used: 700,
    limit: 1_000,
    to: 'a',
    startsAnewMs: expect.any(Number),
    spenders: [{ sync: 's', lane: 'live', units: 700 }],
  });
  expect(told[0]!.spentInMs).toBeGreaterThan(0);
  renew('b', { after: day });
  renew('b');
  expect(told.map(({ kind, to }) => [kind, to])).toEqual([
    ['high', 'a'],
    ['recovered', 'b'],
  ]);
  renew('b');
  expect(state.alerts).toMatchObject({ high: [], pending: [] });
  expect(new Set(told.map(({ id }) => id)).size).toBe(2);
});

test('a worker that dies with an alert: another gets the same one after ten minutes, until somebody says it was delivered', () => {
  const { renew, told } = stage();
  renew('a');
  renew('a', { spends: 800, deliver: false });
  renew('b');
  expect(told).toHaveLength(1);
  renew('b', { after: 11 * minute });
  for (let more = 0; more < 5; more++) renew('b', { after: 11 * minute });
  expect(told).toHaveLength(2);
  expect(told[1]).toMatchObject({ id: told[0]!.id, again: true, to: 'b' });
});

test('others’ use counts; so does a quota that the vendor says is used up', () => {
  const { renew, told, state } = stage();
  renew('a');
  state.counts[0]!.foreign = 650;
  renew('a', { spends: 60 });
  expect(told).toMatchObject([{ kind: 'high', used: 710 }]);
  const refused = stage();
  refused.renew('a');
  refused.state.counts[0]!.closedUntil = day + 30 * minute;
  refused.renew('a');
  expect(refused.told).toMatchObject([{ kind: 'high', window: 'day' }]);
});

test('a short window counts when it is full for minutes, not for a burst; and recovers as slowly', () => {
  const { renew, told } = stage();
  const play = (seconds: number, burst: number) => {
    for (let second = 0; second < seconds; second += 2) renew('a', { after: 2_000, burst });
  };
  for (let spell = 0; spell < 6; spell++) {
    play(60, 100);
    play(120, 10);
  }
  expect(told).toEqual([]);
  play(600, 95);
  expect(told).toMatchObject([{ kind: 'high', window: 'burst' }]);
  play(20, 0);
  expect(told).toHaveLength(1);
  play(600, 20);
  expect(told).toMatchObject([{ kind: 'high' }, { kind: 'recovered', window: 'burst' }]);
  // Silence is rest: the first call after an hour is no message.
  renew('a', { after: 60 * minute, burst: 100 });
  expect(told).toHaveLength(2);
});

test('a mark that is just about reached does not flicker; what is kept is plain JSON and bounded', () => {
  const { renew, told, state } = stage();
  renew('a');
  renew('a', { spends: 700 });
  state.counts[0]!.spent = [[state.now, 660]];
  renew('a');
  expect(told).toHaveLength(1);
  for (let turn = 0; turn < 60; turn++) {
    state.counts[0]!.spent = turn % 2 ? [[state.now, 900]] : [];
    renew('a', { deliver: false });
  }
  expect(state.alerts.pending.length).toBeLessThanOrEqual(20);
  expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  expect(noAlerts()).toEqual({ high: [], average: {}, pending: [], count: 0 });
});
