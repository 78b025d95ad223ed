import type { Limit, LimitReading } from '../connector';

/** The org's allocation: requests in any 24 hours. */
export const daily = 'DAILY_API_REQUESTS';
/** Requests at once. */
export const concurrent = 'CONCURRENT_REQUESTS';

/** Editions; the first is the default, being the tightest. */
export const plans = ['developer', 'professional', 'enterprise', 'unlimited'] as const;

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Quotas of one org. Editions get 100,000 and some for each user licence; we do not know the users, so count none and believe
 * the header. Salesforce counts only requests of 20 s and more as concurrent; which those are is known too late, so we keep
 * all within that number.
 */
export function limits(plan: string | undefined): readonly Limit[] {
  const known = plan === 'professional' || plan === 'enterprise' || plan === 'unlimited';
  return [
    { name: daily, kind: 'rolling', ms: dayMs, max: known ? 100_000 : 15_000 },
    { name: concurrent, kind: 'concurrent', max: known ? 25 : 5 },
  ];
}

/**
 * `Sforce-Limit-Info: api-usage=18/5000`: used and allowed, of the whole org. The app's own share
 * (`per-app-api-usage=17/250(appName=…)`), when there is one, is left out. Salesforce updates the number a little late.
 */
export function limitReadings(headers: Readonly<Record<string, string>>): LimitReading[] {
  const said = /(?:^|[\s,;])api-usage=(\d{1,9})\/(\d{1,9})(?!\d)/.exec(headers['sforce-limit-info'] ?? '');
  const [used, max] = [Number(said?.[1]), Number(said?.[2])];
  return said && max > 0 ? [{ limit: daily, max, remaining: Math.max(0, max - used) }] : [];
}
