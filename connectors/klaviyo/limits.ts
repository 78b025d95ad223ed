import type { Limit, LimitReading } from '../connector';

/** Our names of Klaviyo's two windows; it has no names of its own. */
export const burst = 'BURST';
export const steady = 'STEADY';

const burstMs = 1_000;
const steadyMs = 60_000;

// "x-ratelimit" of each endpoint in klaviyo/openapi, openapi/stable/apis, revision 2026-07-15, read 2026-11. Klaviyo limits
// each endpoint by itself; endpoints that we use together share a quota here, which can only be stricter.
const byQuota: Readonly<Record<string, { burst: number; steady: number }>> = {
  /** `POST /api/profile-import`, `GET /api/profiles` */
  profiles: { burst: 75, steady: 750 },
  /** `POST /api/profile-bulk-import-jobs`, `GET …/{id}`, `GET …/{id}/import-errors` */
  imports: { burst: 10, steady: 150 },
  /** `POST`, `DELETE /api/lists/{id}/relationships/profiles` */
  lists: { burst: 10, steady: 150 },
};
const tightest = { burst: 10, steady: 150 };

export const quotas = Object.keys(byQuota);

/** Limits do not depend on the plan; all private keys of an account share them. */
export const plans = ['any'] as const;

/** Both windows are fixed: they start anew on the clock's second and minute. */
export function limits(_plan: string | undefined, quota?: string): readonly Limit[] {
  const max = byQuota[quota ?? ''] ?? tightest;
  return [
    { name: burst, kind: 'fixed', ms: burstMs, max: max.burst },
    { name: steady, kind: 'fixed', ms: steadyMs, max: max.steady },
  ];
}

/** `RateLimit-Limit`, `-Remaining`, `-Reset` (seconds) of any answer but a 429: the steady window of the endpoint asked. */
export function limitReadings(headers: Readonly<Record<string, string>>): LimitReading[] {
  const max = steadyMax(headers['ratelimit-limit']);
  const remaining = whole(headers['ratelimit-remaining']);
  const reset = whole(headers['ratelimit-reset']);
  if (max === undefined || remaining === undefined) return [];
  return [{ limit: steady, max, remaining, ...(reset === undefined ? {} : { resetMs: reset * 1000 }) }];
}

/** A number, or the draft standard's `750, 75;w=1, 750;w=60`: then it must be the minute that the first number speaks of. */
function steadyMax(text: string | undefined): number | undefined {
  const [first, ...windows] = (text ?? '').split(',').map((part) => part.trim());
  const max = whole(first);
  if (max === undefined || max === 0) return undefined;
  return windows.length === 0 || windows.includes(`${max};w=${steadyMs / 1000}`) ? max : undefined;
}

function whole(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text.trim()) ? Number(text) : undefined;
}

/** A 429 does not say which window refused. Only the minute can ask for more than a second. */
export function limitNameOf(retryAfterMs: number | undefined): string | undefined {
  if (retryAfterMs === undefined) return undefined;
  return retryAfterMs > burstMs ? steady : burst;
}
