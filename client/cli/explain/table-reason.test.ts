import type { HeldChunk, TableRunView } from '../../../schemas/table';
import { sampleCounts, sampleTableView } from '../../../test/support/sample-table-run';
import { lease } from '../../../workflows/budget/lease';
import { newBudget, type BudgetState } from '../../../workflows/budget/state';
import { viewOf } from '../../../workflows/budget/view';
import type { PendingActivity } from '../../history/waiting';
import type { TableRun } from '../table-run';
import { tableReasonOf, type TableFacts } from './table-reason';

const now = Date.parse('2026-01-10T12:00:00Z');
const scope = { vendor: 'hubspot', scope: 'main' };
const view = (change: Partial<TableRunView> = {}): TableRunView =>
  sampleTableView({
    runId: '20260110T115900-abc',
    syncId: 's',
    lane: 'scheduled',
    state: 'running',
    startedAtMs: now - 60_000,
    counts: sampleCounts({ added: 70_000, planned: 70_000 }),
    ended: 2_000,
    chunksEnded: 1,
    ...change,
  });
const run = (change: Partial<TableRunView> = {}): TableRun => ({
  workflowId: 's/run',
  runId: 'r',
  status: 'running',
  startedAt: now - 60_000,
  closedAt: null,
  view: view(change),
});
const held = (cause: HeldChunk['cause'], inMs: number, chunk = 1): HeldChunk => ({ chunk, cause, untilMs: now + inMs });
const activity = (state: PendingActivity['state'], change: Partial<PendingActivity> = {}): PendingActivity => ({
  name: 'sendChunk',
  state,
  attempt: 1,
  scheduledAt: now - 1_000,
  nextAttemptAt: null,
  queue: 'vendor/hubspot/main/bulk',
  attempts: [],
  ...change,
});

/** The budget's view, after `shape` made its state; the run has 680 calls to go. */
function budget(shape: (state: BudgetState) => void = () => undefined): TableFacts['budgets'] {
  const state = newBudget(now);
  const limits = [{ name: 'burst', kind: 'rolling', ms: 10_000, max: 100 } as const, { name: 'day', kind: 'fixed', ms: 86_400_000, max: 10_000 } as const];
  lease(state, { v: 1, worker: 'a', term: 0, seq: 1, ack: 0, limits, slots: [], counts: [], demand: [] }, now);
  shape(state);
  return [{ scope, view: viewOf(scope, state, now, [{ sync: 's', lane: 'scheduled', calls: 680 }]) }];
}

const explain = (change: Partial<TableRunView> = {}, facts: Partial<TableFacts> = {}) =>
  tableReasonOf({
    run: run(change),
    caller: { sync: 's', lane: 'scheduled' },
    destination: 'hubspot/main',
    waiting: { activities: [] },
    budgets: budget(),
    queue: null,
    now,
    ...facts,
  });

describe('why a table’s run is not done', () => {
  test('a worker is sending: how far it is, and about until when', () => {
    const found = explain({}, { waiting: { activities: [activity('running'), activity('queued')] } });
    expect(found).toMatchObject({ cause: 'under-way', behind: ['2000 of 70000 rows have ended; the rest takes about 680 calls'], approximate: true });
    expect(found.until! - now).toBeCloseTo(68_000, -3);
  });

  test.each([
    ['sync:s', 'npx syncline budget resume hubspot/main sync:s'],
    ['lane:scheduled', 'npx syncline budget resume hubspot/main lane:scheduled'],
    ['all', 'npx syncline budget resume hubspot/main all'],
  ])('paused by an operator: %s; nobody can say until when, but how to go on', (what, next) => {
    const budgets = budget((state) => state.held.push('sync:other', what));
    const found = explain({ held: [held('paused', 20_000), held('job', 90_000, 2)] }, { budgets });
    expect(found).toMatchObject({ cause: 'paused', why: `an operator paused it in hubspot/main (${what})`, until: null, next });
    expect(found.behind).toContain('once resumed it goes on when it looks again, in 20 s at most');
    // Also while its chunk stands in a queue that nobody polls for as long.
    const waiting = { activities: [activity('queued')] };
    expect(explain({}, { budgets, waiting, queue: { name: 'q', pollers: 0, waiting: 2, ahead: 0 } })).toMatchObject({ cause: 'paused', next });
  });

  test('resumed, and it has not looked again yet', () => {
    expect(explain({ held: [held('paused', 20_000)] })).toMatchObject({
      cause: 'paused',
      until: now + 20_000,
      behind: ['resumed since: it goes on when it looks again', expect.any(String)],
    });
  });

  test('off-peak hours: until they begin, to the moment', () => {
    const hours = { lanes: ['scheduled' as const], from: '22:00', to: '06:00', timeZone: 'UTC' };
    const found = explain({ held: [held('off-peak', 10 * 3_600_000)] }, { budgets: budget((state) => (state.offPeak = hours)) });
    expect(found).toMatchObject({ cause: 'off-peak', until: now + 10 * 3_600_000, approximate: false, why: expect.stringContaining('begins in 10 h') });
    expect(found.behind.join()).toMatch(/all of it is sent in about 10 h 1 min/);
  });

  test.each<[string, (state: BudgetState) => void, string, RegExp, number]>([
    ['the breaker', (state) => (state.breaker.openUntil = now + 30_000), 'breaker', /the breaker is open for about 30 s/, 30_000],
    ['a spent day', (state) => (state.counts[0]!.spent = [[now, 10_000]]), 'budget', /nothing is left of day/, 12 * 3_600_000],
    ['a 429', (state) => (state.pausedUntil = now + 5_000), 'budget', /the vendor asked for a rest/, 5_000],
  ])('%s, whatever its chunks are at', (_name, shape, cause, why, inMs) => {
    const found = explain({}, { budgets: budget(shape), waiting: { activities: [activity('running')] } });
    expect(found).toMatchObject({ cause, why: expect.stringMatching(why), approximate: true });
    expect(Math.abs(found.until! - now - inMs)).toBeLessThan(10_000);
  });

  test('the rest of the day is kept from its lane: until all of it is sent', () => {
    const found = explain({}, { budgets: budget((state) => (state.counts[0]!.spent = [[now, 9_600]])) });
    expect(found).toMatchObject({ cause: 'budget', why: expect.stringContaining('are kept for live records') });
    expect(found.until! - now).toBeGreaterThan(3_600_000);
  });

  test('approval: what for, until when, and the command', () => {
    const waitingFor = [{ guard: 'mass-delete' as const, why: '500 of 1000 rows are gone', rows: 500 }];
    expect(explain({ state: 'waiting', waitingFor, expiresAtMs: now + 60_000 }, { budgets: [] })).toMatchObject({
      cause: 'approval',
      until: now + 60_000,
      behind: ['mass-delete: 500 of 1000 rows are gone'],
      next: expect.stringContaining('npx syncline approve 20260110T115900-abc --reason'),
    });
  });

  test.each<[HeldChunk['cause'], RegExp]>([
    ['job', /the vendor works on what was handed over/],
    ['retry', /before their next attempt/],
    ['credentials', /refuses the account’s credentials/],
    ['warehouse', /warehouse does not answer/],
    ['lease', /has its chunk yet/],
  ])('held: %s', (cause, why) => {
    expect(explain({ held: [held(cause, 15_000)] })).toMatchObject({ cause, why: expect.stringMatching(why), until: now + 15_000 });
  });

  test('what holds all chunks goes before what holds one; while others are in flight it is under way', () => {
    const both = { held: [held('job', 5_000), held('credentials', 60_000, 2), held('credentials', 30_000, 3)] };
    expect(explain(both)).toMatchObject({ cause: 'credentials', until: now + 60_000 });
    expect(explain({ held: [held('job', 5_000)] }, { waiting: { activities: [activity('running')] } }).cause).toBe('under-way');
  });

  test('its chunks fail, wait their turn, or find nobody', () => {
    const failing = activity('backing-off', { attempt: 3, nextAttemptAt: now + 2_000, lastFailure: 'UNKNOWN_SYNC: deploy a worker' });
    const backoff = explain({}, { waiting: { activities: [failing] } });
    expect(backoff).toMatchObject({ cause: 'backoff', until: now + 2_000, behind: [expect.any(String), 'last: UNKNOWN_SYNC: deploy a worker'] });
    const waiting = { activities: [activity('queued')] };
    const queue = { name: 'vendor/hubspot/main/bulk', pollers: 1, waiting: 9, ahead: 4 };
    expect(explain({}, { waiting, queue })).toMatchObject({
      cause: 'order',
      behind: [expect.stringContaining('about 4 of them before it'), expect.any(String)],
    });
    expect(explain({}, { waiting, queue: { ...queue, pollers: 0 } })).toMatchObject({ cause: 'no-worker', next: expect.stringContaining('start a worker') });
  });

  test('at the warehouse: comparing, failing to, nobody there', () => {
    const step = (state: PendingActivity['state'], change: Partial<PendingActivity> = {}) => ({
      waiting: { activities: [activity(state, { name: 'planRun', queue: 'warehouse/test', ...change })] },
      budgets: [],
    });
    expect(explain({ state: 'planning' }, step('running'))).toMatchObject({ cause: 'under-way', why: expect.stringContaining('comparing rows') });
    const away = step('backing-off', { nextAttemptAt: now + 5_000, lastFailure: 'WAREHOUSE_BUSY: no connection' });
    expect(explain({ state: 'closing' }, away)).toMatchObject({ cause: 'warehouse', until: now + 5_000, behind: ['last: WAREHOUSE_BUSY: no connection'] });
    const queue = { name: 'warehouse/test', pollers: 0, waiting: 1, ahead: 0 };
    expect(explain({ state: 'planning' }, { ...step('queued'), queue })).toMatchObject({ cause: 'no-worker' });
  });

  test('no worker answers; ended well, and otherwise', () => {
    expect(explain({}, { run: { ...run(), view: null }, budgets: [] })).toMatchObject({ cause: 'no-worker', until: null });
    const equation = { planned: 70_000, outcomes: { accepted: 70_000 }, holds: true };
    const ended = { ...run({ state: 'done', equation }), status: 'completed', closedAt: now };
    expect(explain({}, { run: ended })).toMatchObject({ cause: 'finished', until: now, why: expect.stringContaining('ended `done`, 70000 rows planned') });
    expect(explain({}, { run: { ...run(), status: 'terminated', closedAt: now } }).why).toContain('its run ended: terminated');
  });
});
