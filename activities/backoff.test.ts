import { backoffMs } from './backoff';

const policy = { maxAttempts: 5, initialIntervalMs: 100, maxIntervalMs: 60_000, expireAfterMs: 1 };

const down = { code: 'UNAVAILABLE' };

describe('backoff', () => {
  test('full jitter over 100 ms · 2^n', () => {
    expect([1, 2, 3, 4].map((failures) => backoffMs(policy, failures, down, 1))).toEqual([100, 200, 400, 800]);
    expect([1, 2, 3, 4].map((failures) => backoffMs(policy, failures, down, 0))).toEqual([0, 0, 0, 0]);
    expect(backoffMs(policy, 3, down, 0.5)).toBe(200);
  });

  test('capped', () => {
    expect(backoffMs(policy, 30, down, 1)).toBe(60_000);
  });

  test('Retry-After wins, even over the cap, and is never undercut', () => {
    expect(backoffMs(policy, 1, { ...down, retryAfterMs: 90_000 }, 0)).toBe(90_000);
    expect(backoffMs(policy, 1, { ...down, retryAfterMs: 90_000 }, 1)).toBe(91_000);
    expect(backoffMs(policy, 1, { ...down, retryAfterMs: 2_000 }, 1)).toBe(2_200);
  });

  test('a Retry-After of 0 takes nothing off the wait', () => {
    expect(backoffMs(policy, 3, { ...down, retryAfterMs: 0 }, 0.5)).toBe(200);
  });

  test.each([0, undefined])('a 429 that asks for %p: nobody comes back within a second, then two, …, up to ten', (retryAfterMs) => {
    const why = { code: 'RATE_LIMITED', retryAfterMs };
    expect([1, 2, 3, 4, 5].map((failures) => backoffMs(policy, failures, why, 0))).toEqual([1_000, 2_000, 4_000, 8_000, 10_000]);
    expect(backoffMs(policy, 1, why, 1)).toBe(1_100);
    // A sync that wants shorter waits has them.
    expect(backoffMs({ ...policy, maxIntervalMs: 500 }, 1, why, 0)).toBe(500);
  });
});
