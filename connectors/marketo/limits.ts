import type { Limit } from '../connector';

/** Calls in any 20 s: code 606. */
export const burst = 'CALLS_PER_20_SECONDS';
/** Calls at once: code 615. */
export const concurrent = 'CONCURRENT_CALLS';
/** Calls a day: code 607. */
export const daily = 'DAILY_QUOTA';

/** Subscriptions differ in the daily quota alone, by contract; this is the usual one. */
export const plans = ['standard'] as const;

/**
 * Quotas of the whole subscription, shared by all API users (experienceleague.adobe.com, "Integration best practices", read
 * 2026-08). The day starts at midnight US Central, a boundary no `fixed` window of ours has, and Marketo tells nothing of what
 * is left: so it is kept as a rolling one, which never lets more than the quota into any day, wherever it begins.
 */
export function limits(): readonly Limit[] {
  return [
    { name: burst, kind: 'rolling', ms: 20_000, max: 100 },
    { name: concurrent, kind: 'concurrent', max: 10 },
    { name: daily, kind: 'rolling', ms: 24 * 60 * 60 * 1000, max: 50_000 },
  ];
}
