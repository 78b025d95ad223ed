import { admit, breakerDefaults, count, failed, newBreaker, reached, succeeded, unused, type BreakerState } from './breaker';
import { lease } from './lease';
import { leaseRequest } from '../../test/support/lease-request';
import { resumedBudget, type BudgetState } from './state';

const { openMs, maxOpenMs } = breakerDefaults;

/** Calls at an even pace; every so many of them fail, each time for another of `records` records. Until it opens, at most. */
function traffic(state: BreakerState, of: { from?: number; to: number; everyMs: number; failing: (call: number) => boolean; records?: number }): number {
  let now = of.from ?? 0;
  for (let call = 0; now < of.to && state.openUntil === 0; call++, now += of.everyMs) {
    if (of.failing(call)) failed(state, now, [`r${call % (of.records ?? 1_000)}`], false);
    else {
      count(state, now, { answered: 1, failed: 0, records: [] });
      reached(state);
    }
  }
  return now;
}

function tripped(now = 0) {
  const state = newBreaker();
  for (let call = 0; call < 5; call++) failed(state, now, [`r${call}`], false);
  return state;
}

describe('breaker', () => {
  test('opens on 5 failed calls within 30 s that cover 3 records', () => {
    expect(tripped().openUntil).toBe(openMs);
    expect(admit(tripped(), 1)).toBe('shut');
  });

  test('one poisoned record opens nothing, however often it fails', () => {
    const state = newBreaker();
    for (let call = 0; call < 50; call++) failed(state, call, ['poison'], false);
    expect(admit(state, 60)).toBe('go');
  });

  test('calls without any answer open it whatever the record', () => {
    const state = newBreaker();
    for (let call = 0; call < 5; call++) failed(state, call, ['one'], true);
    expect(admit(state, 10)).toBe('shut');
  });

  test('failures spread over more than 30 s open nothing', () => {
    const state = newBreaker();
    for (let call = 0; call < 20; call++) failed(state, call * 8_000, [`r${call}`], false);
    expect(state.openUntil).toBe(0);
  });

  test.each([
    ['70 % of calls', (call: number) => call % 10 < 7, 100],
    ['two of three, once a second', (call: number) => call % 3 > 0, 1_000],
  ])('opens when more than half of the calls fail: %s', (_name, failing, everyMs) => {
    const state = newBreaker();
    expect(traffic(state, { to: 60_000, everyMs, failing })).toBeLessThan(10_000);
    expect(state.openUntil).toBeGreaterThan(0);
  });

  test.each([
    ['several poisoned records among thousands of good ones', (call: number) => call % 100 < 3, 4],
    ['five poisoned records one after the other', (call: number) => call % 1_000 > 500 && call % 1_000 <= 515, 5],
    ['three of ten calls', (call: number) => call % 10 < 3, 1_000],
  ])('some failures among many good calls open nothing: %s', (_name, failing, records) => {
    const state = newBreaker();
    expect(traffic(state, { to: 300_000, everyMs: 50, failing, records })).toBe(300_000);
    expect(JSON.stringify(state).length).toBeLessThan(2_000);
  });

  test('an outage after a busy half minute is seen at once, and once it opened nothing of before counts', () => {
    const state = newBreaker();
    traffic(state, { to: 60_000, everyMs: 10, failing: () => false });
    expect(traffic(state, { from: 60_000, to: 90_000, everyMs: 10, failing: () => true })).toBeLessThan(61_000);
    succeeded(state);
    expect(state).toEqual(newBreaker());
  });

  test('connections that cannot be made open it when none was made in between, whatever landed before', () => {
    const state = newBreaker();
    traffic(state, { to: 30_000, everyMs: 10, failing: () => false });
    for (let call = 0; call < 4; call++) failed(state, 30_000 + call, ['one'], true);
    reached(state);
    for (let call = 0; call < 4; call++) failed(state, 30_010 + call, ['one'], true);
    expect(state.openUntil).toBe(0);
    failed(state, 30_020, ['one'], true);
    expect(admit(state, 30_021)).toBe('shut');
  });

  test('a budget that a run of an older version left goes on: closed, or open until then', () => {
    const failures = Array.from({ length: 3 }, (_, call) => ({ at: 0, records: [`r${call}`], connection: false }));
    for (const openUntil of [0, 60_000]) {
      const old = { ...resumedBudget(0), breaker: { failures, openUntil, spellMs: openUntil, probingSince: 0 } } as unknown as BudgetState;
      const state = resumedBudget(5, JSON.parse(JSON.stringify(old)) as BudgetState);
      const failure = (ms: number) => ({ ms, records: [`k${ms}`], connection: false, since: 1 });
      const reply = lease(state, leaseRequest({ limits: [], failures: [1, 2, 3, 4, 5].map(failure) }), 1_000);
      expect(reply.breaker.openMs).toBe(openUntil === 0 ? 30_000 : 59_000);
    }
  });

  test('half-open lets one probe through, and the next after it is forgotten', () => {
    const state = tripped();
    expect(admit(state, openMs)).toBe('probe');
    expect(admit(state, openMs + 1)).toBe('shut');
    expect(admit(state, openMs + breakerDefaults.probeMs)).toBe('probe');
  });

  test('a probe that was not used is free for the next caller', () => {
    const state = tripped();
    admit(state, openMs);
    unused(state);
    expect(admit(state, openMs + 1)).toBe('probe');
  });

  test('each failed probe doubles the spell, up to 15 minutes', () => {
    const state = tripped();
    let now = state.openUntil;
    const spells: number[] = [];
    for (let probe = 0; probe < 8; probe++) {
      expect(admit(state, now)).toBe('probe');
      failed(state, now, ['r1'], false);
      spells.push(state.openUntil - now);
      now = state.openUntil;
    }
    expect(spells).toEqual([2, 4, 8, 16, 30, 30, 30, 30].map((times) => Math.min(maxOpenMs, times * openMs)));
  });

  test('a good probe closes it, and the next spell is short again', () => {
    const state = tripped();
    admit(state, openMs);
    succeeded(state);
    expect(admit(state, openMs + 1)).toBe('go');
    for (let call = 0; call < 5; call++) failed(state, 100_000, [`r${call}`], false);
    expect(state.openUntil).toBe(100_000 + openMs);
  });

  test('its state is plain JSON', () => {
    const state = tripped();
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  });
});
