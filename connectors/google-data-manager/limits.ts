import type { Limit } from '../connector';

/** Our names of the two windows; Google's own (`quota_limit` of an error) are not documented for this API. */
export const day = 'DAY';
export const minute = 'MINUTE';

/** Writes: `audienceMembers:ingest` and `:remove`. */
export const ingestion = 'ingestion';
/** Reads: `requestStatus:retrieve`. */
export const status = 'status';

/** Google counts them apart: a job that is looked at often must not keep the next one from being handed over. */
export const quotas = [ingestion, status] as const;

/** Limits do not depend on a plan; they are raised for a project on request. */
export const plans = ['project'] as const;

/**
 * Of one Google Cloud project, the same for writes and reads of `IngestionService`. Nothing is said of where a window begins,
 * nor told of what is left in it: rolling ones never let more than the quota into any window, wherever it begins.
 */
export function limits(): readonly Limit[] {
  return [
    { name: minute, kind: 'rolling', ms: 60_000, max: 300 },
    { name: day, kind: 'rolling', ms: 24 * 60 * 60 * 1000, max: 100_000 },
  ];
}
