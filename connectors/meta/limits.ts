import { z } from 'zod';
import type { Limit, LimitReading } from '../connector';

/** Calls about custom audiences in any hour, of one ad account: Meta's "business use case" `custom_audience`. */
export const hourly = 'CUSTOM_AUDIENCE';

/** Access tiers, as they are called since May 2026; the first is the default, being the tightest. */
export const plans = ['limited', 'full'] as const;

const base: Readonly<Record<string, number>> = { limited: 5_000, full: 190_000 };

/**
 * developers.facebook.com, "Marketing API Rate Limiting". Each active audience adds 40 calls; we do not know how many there
 * are, so count none: that can only be stricter.
 */
export function limits(plan: string | undefined): readonly Limit[] {
  return [{ name: hourly, kind: 'rolling', ms: 60 * 60 * 1000, max: base[plan ?? ''] ?? base['limited']! }];
}

/** `ads_api_access_tier`: documented until May 2026, and the names since then, of which no recorded header was found. */
const tiers: Readonly<Record<string, string>> = { development_access: 'limited', standard_access: 'full', limited_access: 'limited', full_access: 'full' };

const entry = z.object({
  type: z.string(),
  call_count: z.number().min(0).max(1_000),
  estimated_time_to_regain_access: z.number().min(0).max(100_000).optional(),
  ads_api_access_tier: z.string().optional(),
});
/** By business id; of each use case one entry. */
const usage = z.record(z.string(), z.array(z.unknown()));

type Usage = z.output<typeof entry>;

/** What `X-Business-Use-Case-Usage` says of custom audiences; entries that cannot be read are left out. */
function usageIn(headers: Readonly<Record<string, string>>): Usage[] {
  try {
    const read = usage.safeParse(JSON.parse(headers['x-business-use-case-usage'] ?? ''));
    const entries = read.success ? Object.values(read.data).flat() : [];
    return entries.flatMap((one) => entry.safeParse(one).data ?? []).filter(({ type }) => type === 'custom_audience');
  } catch {
    return [];
  }
}

/**
 * A percentage of a number that only the tier tells: without it nothing is read, unless all is used up. Meta gives whole
 * percents, so a reading is up to a hundredth of the quota off.
 */
export function limitReadings(headers: Readonly<Record<string, string>>): LimitReading[] {
  const fullest = usageIn(headers).sort((a, b) => b.call_count - a.call_count)[0];
  if (!fullest) return [];
  if (fullest.call_count >= 100) return [{ limit: hourly, remaining: 0 }];
  const max = base[tiers[fullest.ads_api_access_tier ?? ''] ?? ''];
  return max === undefined ? [] : [{ limit: hourly, max, remaining: Math.floor((max * (100 - fullest.call_count)) / 100) }];
}

/** How long Meta says it will refuse, milliseconds; it tells minutes, and 0 when it doesn't refuse. */
export function regainMs(headers: Readonly<Record<string, string>>): number | undefined {
  const minutes = Math.max(0, ...usageIn(headers).map((one) => one.estimated_time_to_regain_access ?? 0));
  return minutes === 0 ? undefined : Math.min(minutes, 24 * 60) * 60_000;
}
