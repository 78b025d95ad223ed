import type { RecordOutcome } from '../../../schemas/outcome';
import { sampleAttempt, samplePlan } from '../../../test/support/sample-run';
import { newBudget, type BudgetState } from '../../../workflows/budget/state';
import { lease } from '../../../workflows/budget/lease';
import { viewOf } from '../../../workflows/budget/view';
import type { Waiting, PendingActivity } from '../../history/waiting';
import type { RunTrace, Step } from '../../history/steps';
import { reasonOf, type ExplainFacts } from './reason';

const now = Date.parse('2026-01-10T12:00:00Z');
const scope = { vendor: 'hubspot', scope: 'main' };
const run = (change: Partial<RunTrace> = {}): RunTrace => ({
  workflowId: 'w',
  runId: 'r',
  workflowType: 'recordSync',
  startedAt: now - 60_000,
  closedAt: null,
  status: 'running',
  how: 'event',
  plan: samplePlan({ syncId: 's' }),
  event: null,
  outcome: null,
  steps: [],
  nextRunId: null,
  previousRunId: null,
  historyEvents: 5,
  ...change,
});
const activity = (change: Partial<PendingActivity> = {}): PendingActivity => ({
  name: 'deliver',
  state: 'queued',
  attempt: 1,
  scheduledAt: now - 1_000,
  nextAttemptAt: null,
  queue: 'vendor/hubspot/main/live',
  attempts: [],
  ...change,
});
const waits = (change: Partial<Waiting> = {}): Waiting => ({ causes: [], details: 'on its way', activities: [], ...change });
const timer = (forMs: number, what: string): Step => ({ at: now - 1_000, kind: 'waited', what, forMs, tookMs: null });
const queue = { name: 'vendor/hubspot/main/live', pollers: 2, waiting: 40, ahead: 30 };

/** The budget's view, after `shape` made its state; the sync has ten calls waiting. */
function budget(shape: (state: BudgetState) => void = () => undefined, calls = 10): ExplainFacts['budgets'] {
  const state = newBudget(now);
  const limits = [{ name: 'burst', kind: 'rolling', ms: 10_000, max: 100 } as const, { name: 'day', kind: 'fixed', ms: 86_400_000, max: 1_000 } as const];
  lease(state, { v: 1, worker: 'a', term: 0, seq: 1, ack: 0, limits, slots: [], counts: [], demand: [] }, now);
  shape(state);
  return [{ scope, view: viewOf(scope, state, now, [{ sync: 's', lane: 'live', calls }]) }];
}

const explain = (facts: Partial<ExplainFacts>) => reasonOf({ run: run(), waiting: waits(), budgets: budget(), queue: null, now, ...facts });
const queued = (facts: Partial<ExplainFacts>) => explain({ waiting: waits({ activities: [activity()] }), queue, ...facts });

describe('why a run is not done', () => {
  test('finished: well, badly, and without an outcome', () => {
    const outcome: RecordOutcome = { outcome: 'accepted', attempts: [], resend: 'safe' };
    expect(explain({ run: run({ status: 'completed', outcome, closedAt: now }), waiting: null })).toMatchObject({
      cause: 'finished',
      until: now,
      why: 'it ended `accepted`; it waits for nothing',
    });
    expect(explain({ run: run({ status: 'terminated' }), waiting: null }).why).toContain('terminated, without an outcome');
  });

  test('in the queue: how many are before it, what it can expect, an estimate that says so', () => {
    const found = queued({});
    expect(found).toMatchObject({
      cause: 'order',
      approximate: true,
      why: expect.stringContaining('about 600 calls a minute'),
      behind: [expect.stringContaining('about 30 of them before it'), expect.any(String)],
    });
    expect(found.until! - now).toBeCloseTo(1_000, -2);
    const longer = queued({ budgets: budget(undefined, 700) });
    expect(longer.until! - now).toBeCloseTo(70_000, -3);
  });

  test('more work than the day has calls: until the next day, or the one after', () => {
    const next = queued({ budgets: budget((state) => (state.counts[0]!.spent = [[now, 995]])) });
    expect(next.until! - now).toBeGreaterThan(12 * 3_600_000 - 60_000);
    expect(next.until! - now).toBeLessThan(13 * 3_600_000);
    expect(queued({ budgets: budget(undefined, 2_500) }).until! - now).toBeGreaterThan(36 * 3_600_000 - 60_000);
  });

  test.each<[string, (state: BudgetState) => void, string, RegExp]>([
    ['an operator’s pause', (state) => state.held.push('lane:live'), 'paused', /paused it in hubspot\/main \(lane:live\)/],
    ['the breaker', (state) => (state.breaker.openUntil = now + 30_000), 'breaker', /breaker is open for about 30 s/],
    ['a spent day', (state) => (state.counts[0]!.spent = [[now, 1_000]]), 'budget', /nothing is left of day \(1000 used by us, 0 by others\)/],
    ['a 429', (state) => (state.pausedUntil = now + 5_000), 'budget', /the vendor asked for a rest \(429\)/],
    [
      'off-peak hours',
      (state) => {
        state.offPeak = { lanes: ['backfill'], from: '22:00', to: '06:00', timeZone: 'UTC' };
        state.lanes['s'] = 'backfill';
      },
      'off-peak',
      /backfill send from 22:00 to 06:00 \(UTC\); that begins in 10 h/,
    ],
  ])('in the queue: %s', (_name, shape, cause, why) => {
    const found = queued({ budgets: budget(shape) });
    expect(found).toMatchObject({ cause, why: expect.stringMatching(why) });
    if (cause === 'paused') expect(found).toMatchObject({ until: null, next: 'npx syncline budget resume hubspot/main lane:live' });
    else expect(found.until).toBeGreaterThan(now);
  });

  test.each<[string, string[], string, string[]]>([
    ['its sync', ['sync:other', 'lane:replay', 'sync:s'], 'npx syncline budget resume hubspot/main sync:s', []],
    [
      'its sync and its lane',
      ['lane:live', 'sync:s'],
      'npx syncline budget resume hubspot/main lane:live && npx syncline budget resume hubspot/main sync:s',
      [],
    ],
    ['everything', ['all', 'sync:other'], 'npx syncline budget resume hubspot/main all', ['to resume all takes back these as well: sync:other']],
  ])('paused by an operator: the way out takes back that pause and leaves the others: %s', (_name, held, next, also) => {
    const budgets = budget((state) => state.held.push(...held));
    expect(queued({ budgets })).toMatchObject({ cause: 'paused', until: null, next, behind: expect.arrayContaining(also) });
    const inWorkflow = explain({ budgets, waiting: waits({ causes: ['paused'] }), run: run({ steps: [timer(61_000, 'held')] }) });
    expect(inWorkflow).toMatchObject({ cause: 'paused', next, until: now + 60_000, behind: [expect.stringMatching(/^hubspot\/main: .+ paused$/), ...also] });
    expect(inWorkflow.behind.join()).not.toMatch(also.length > 0 ? /^$/ : /other|replay/);
  });

  test('held in its workflow for a pause that is over: it says so, and nothing is to be resumed', () => {
    const budgets = budget((state) => state.held.push('sync:other'));
    const found = explain({ budgets, waiting: waits({ causes: ['paused'] }), run: run({ steps: [timer(61_000, 'held')] }) });
    expect(found).toMatchObject({ cause: 'paused', until: now + 60_000, behind: ['resumed since: it goes on when it looks again'] });
    expect(found.next).toBeUndefined();
  });

  test('what is left of the day is kept from its lane: until the rest of the day needs less; a live record does not wait for that', () => {
    const spent = (lane: 'live' | 'backfill') =>
      budget((state) => {
        state.counts[0]!.spent = [[now, 960]];
        state.lanes['s'] = lane;
      }, 1);
    const bulk = queued({ budgets: spent('backfill') });
    expect(bulk).toMatchObject({ cause: 'budget', why: expect.stringContaining('the last 40 of day are kept for live records'), approximate: true });
    // At noon 50 of 1,000 are kept; 39 are enough when somewhat more than nine hours are left.
    expect(bulk.until! - now).toBeGreaterThan(2 * 3_600_000);
    expect(bulk.until! - now).toBeLessThan(3 * 3_600_000);
    expect(queued({ budgets: spent('live') })).toMatchObject({ cause: 'order' });
  });

  test('in the queue and nobody polls it: no worker', () => {
    expect(queued({ queue: { ...queue, pollers: 0 } })).toMatchObject({ cause: 'no-worker', next: expect.stringContaining('start a worker') });
  });

  test('a budget that does not answer leaves what the queue tells', () => {
    expect(queued({ budgets: [] })).toMatchObject({ cause: 'order', until: null, behind: [expect.stringContaining('40 records'), expect.any(String)] });
  });

  test.each([
    ['breaker', true, /the vendor is failing/],
    ['off-peak', false, /off-peak hours only/],
    ['claim', true, /another run is writing/],
    ['approval', true, /a person’s approval/],
    ['something newer', true, /it is held: something newer/],
  ])('held in its workflow: %s', (cause, approximate, why) => {
    const found = explain({ waiting: waits({ causes: [cause] }), run: run({ steps: [timer(61_000, 'held')] }) });
    expect(found).toMatchObject({ cause, approximate, until: now + 60_000, why: expect.stringMatching(why) });
  });

  test('between two attempts: by the server, or by a timer of the run', () => {
    const steps: Step[] = [{ at: now, kind: 'attempt', attempt: sampleAttempt({ code: 'RATE_LIMITED' }) }, timer(5_000, 'wait before the next attempt')];
    expect(explain({ run: run({ steps }) })).toMatchObject({ cause: 'backoff', until: now + 4_000, behind: [expect.stringContaining('RATE_LIMITED')] });
    const server = activity({ state: 'backing-off', attempt: 3, nextAttemptAt: now + 2_000, lastFailure: 'UNAVAILABLE: 503' });
    expect(explain({ waiting: waits({ activities: [server] }) })).toMatchObject({
      cause: 'backoff',
      until: now + 2_000,
      why: 'attempt 2 failed; it waits for the next',
      behind: ['last: UNAVAILABLE: 503'],
    });
  });

  test.each([
    ['running', 'in-worker'],
    ['paused', 'activity-paused'],
    ['cancelling', 'cancelling'],
  ] as const)('an activity that is %s', (state, cause) => {
    expect(explain({ waiting: waits({ activities: [activity({ state })] }) }).cause).toBe(cause);
  });

  test('no activity, no timer: a worker is at it, or none is', () => {
    expect(explain({}).cause).toBe('under-way');
    expect(explain({ waiting: waits({ details: null }) })).toMatchObject({ cause: 'no-worker', next: expect.stringContaining('doctor') });
  });
});
