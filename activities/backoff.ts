import type { RetryPolicy } from '../schemas/plan';

/** After a 429 nobody comes back sooner, whatever the vendor says: a second, then two, …, up to this. Milliseconds. */
const [leastRestMs, mostRestMs] = [1_000, 10_000];

/**
 * Wait before the next attempt, milliseconds: full jitter over `initialIntervalMs · 2^n`, capped; the vendor's Retry-After
 * wins where it is longer (plus a little jitter, so that all who were refused together don't come back together). A 429 that
 * says 0, a moment that is over, or nothing has a floor of its own: the vendor has just said that it was too soon.
 *
 * @param failures attempts that failed so far, this one included
 * @param why what the attempt ended with
 * @param random 0..1
 */
export function backoffMs(policy: RetryPolicy, failures: number, why: { code: string; retryAfterMs?: number | undefined }, random: number): number {
  const own = random * Math.min(policy.maxIntervalMs, policy.initialIntervalMs * 2 ** (failures - 1));
  const floor = why.code === 'RATE_LIMITED' ? Math.min(policy.maxIntervalMs, mostRestMs, leastRestMs * 2 ** (failures - 1)) : 0;
  const asked = Math.max(floor, why.retryAfterMs ?? 0);
  return Math.round(Math.max(own, asked + random * Math.min(1_000, 0.1 * asked)));
}
