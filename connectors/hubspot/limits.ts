import type { Limit, LimitReading } from '../connector';

/** `policyName` of HubSpot's burst limit; also the name of our {@link Limit}. */
export const burst = 'TEN_SECONDLY_ROLLING';
/** `policyName` of HubSpot's daily limit. */
export const daily = 'DAILY';

/** HubSpot's plans; the first is the default, being the tightest. */
export const plans = ['free', 'starter', 'professional', 'enterprise'] as const;

/** Rolling window of the burst limit, milliseconds. */
export const burstMs = 10_000;
const dayMs = 24 * 60 * 60 * 1000;

// Private apps, per app (burst) and per account (daily): developers.hubspot.com/changelog/increasing-our-api-limits, read
// 2026-08. Professional's daily limit is 650,000 there and 625,000 elsewhere: the lower counts.
const byPlan: Readonly<Record<string, { burst: number; daily: number }>> = {
  free: { burst: 100, daily: 250_000 },
  starter: { burst: 100, daily: 250_000 },
  professional: { burst: 190, daily: 625_000 },
  enterprise: { burst: 190, daily: 1_000_000 },
};
const tightest = { burst: 100, daily: 250_000 };

/**
 * Quotas of one private app. Not in here: the day starts at midnight in the account's own time zone (we align to UTC), search
 * has 5 calls/s of its own, public OAuth apps have 110 per 10 s, a capacity pack raises both.
 */
export function limits(plan: string | undefined): readonly Limit[] {
  const max = byPlan[plan ?? 'free'] ?? tightest;
  return [
    { name: burst, kind: 'rolling', ms: burstMs, max: max.burst },
    { name: daily, kind: 'fixed', ms: dayMs, max: max.daily },
  ];
}

/**
 * `X-HubSpot-RateLimit-Max`/`-Remaining` speak of the burst, `-Daily`/`-Daily-Remaining` of the day (absent for OAuth; search
 * sends the daily pair only). The deprecated `-Secondly` pair is ignored. A burst interval longer than ours is left out: its
 * maximum would be too high for 10 s.
 */
export function limitReadings(headers: Readonly<Record<string, string>>): LimitReading[] {
  const interval = whole(headers['x-hubspot-ratelimit-interval-milliseconds']);
  const readings: LimitReading[] = [];
  if (interval === undefined || interval <= burstMs) {
    readings.push(...reading(burst, headers['x-hubspot-ratelimit-max'], headers['x-hubspot-ratelimit-remaining']));
  }
  readings.push(...reading(daily, headers['x-hubspot-ratelimit-daily'], headers['x-hubspot-ratelimit-daily-remaining']));
  return readings;
}

function reading(limit: string, maxText: string | undefined, remainingText: string | undefined): LimitReading[] {
  const max = whole(maxText);
  const remaining = whole(remainingText);
  if (remaining === undefined && (max === undefined || max === 0)) return [];
  return [{ limit, ...(max === undefined || max === 0 ? {} : { max }), ...(remaining === undefined ? {} : { remaining }) }];
}

function whole(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text.trim()) ? Number(text) : undefined;
}
