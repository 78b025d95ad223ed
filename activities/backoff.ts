import type { RetryPolicy } from '../schemas/plan';

/**
 * Wait before the next attempt, milliseconds: full jitter over `initialIntervalMs · 2^n`, capped; the vendor's Retry-After
 * wins (plus a little jitter, so that all who were refused together don't come back together).
 *
 * @param failures attempts that failed so far, this one included
 * @param random 0..1
 */
export function backoffMs(policy: RetryPolicy, failures: number, retryAfterMs: number | undefined, random: number): number {
  if (retryAfterMs !== undefined) return Math.round(retryAfterMs + random * Math.min(1_000, 0.1 * retryAfterMs));
  const ceiling = Math.min(policy.maxIntervalMs, policy.initialIntervalMs * 2 ** (failures - 1));
  return Math.round(random * ceiling);
}
