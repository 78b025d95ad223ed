import { backoffMs } from './backoff';

const policy = { maxAttempts: 5, initialIntervalMs: 100, maxIntervalMs: 60_000, expireAfterMs: 1 };

describe('backoff', () => {
  test('full jitter over 100 ms · 2^n', () => {
    expect([1, 2, 3, 4].map((failures) => backoffMs(policy, failures, undefined, 1))).toEqual([100, 200, 400, 800]);
    expect([1, 2, 3, 4].map((failures) => backoffMs(policy, failures, undefined, 0))).toEqual([0, 0, 0, 0]);
    expect(backoffMs(policy, 3, undefined, 0.5)).toBe(200);
  });

  test('capped', () => {
    expect(backoffMs(policy, 30, undefined, 1)).toBe(60_000);
  });

  test('Retry-After wins, even over the cap, and is never undercut', () => {
    expect(backoffMs(policy, 1, 90_000, 0)).toBe(90_000);
    expect(backoffMs(policy, 1, 90_000, 1)).toBe(91_000);
    expect(backoffMs(policy, 1, 2_000, 1)).toBe(2_200);
  });
});
