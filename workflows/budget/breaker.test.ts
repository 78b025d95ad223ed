import { admit, breakerDefaults, failed, newBreaker, succeeded, unused } from './breaker';

const { openMs, maxOpenMs } = breakerDefaults;

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

  test('a success in between starts the count anew', () => {
    const state = newBreaker();
    for (let call = 0; call < 4; call++) failed(state, 0, [`r${call}`], false);
    succeeded(state);
    failed(state, 1, ['r9'], false);
    expect(state.openUntil).toBe(0);
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
