import { z } from 'zod';
import type { Json } from '../../../schemas/json';
import type { JobState } from '../../connector';
import { VendorError } from '../../errors';

/**
 * Google says: first after 30 minutes, then ever less often (devguides/diagnostics, read 2026-11). A look costs a permit of 300 a
 * minute and nothing else; so the answer is had soon where processing is quick.
 */
const againMs = 60_000;

/** `int64` is text in JSON. */
const count = z
  .union([z.string().regex(/^\d{1,15}$/), z.int().min(0)])
  .transform(Number)
  .optional()
  .catch(undefined);
const errorCount = z.object({ recordCount: count, reason: z.string().optional().catch(undefined) });
const stats = z.object({ recordCount: count, uploadMatchRateRange: z.string().optional().catch(undefined) });
const destination = z.object({
  requestStatus: z.string().optional().catch(undefined),
  errorInfo: z
    .object({ errorCounts: z.array(errorCount).catch([]) })
    .optional()
    .catch(undefined),
  // A union: one status with one kind of data inside, e.g. `userDataIngestionStatus`, `compositeDataRemovalStatus`.
  audienceMembersIngestionStatus: z.record(z.string(), stats).optional().catch(undefined),
  audienceMembersRemovalStatus: z.record(z.string(), stats).optional().catch(undefined),
});
type Destination = z.output<typeof destination>;

const answer = z.object({ requestStatusPerDestination: z.array(destination).length(1) });

// [least, most) in percent, match_rate.proto; ranges it leaves out (NOT_ELIGIBLE, UNKNOWN) say nothing.
const ranges: Readonly<Record<string, readonly [least: number, most: number]>> = {
  LESS_THAN_20: [0, 20],
  '20_TO_30': [20, 31],
  '31_TO_40': [31, 41],
  '41_TO_50': [41, 51],
  '51_TO_60': [51, 61],
  '61_TO_70': [61, 71],
  '71_TO_80': [71, 81],
  '81_TO_90': [81, 91],
  '91_TO_100': [91, 100],
};

/** How a whole request fails for good, and what to do (processing_errors.proto). What is not here may be handed over again. */
const permanent: Readonly<Record<string, string>> = {
  DENIED_CONSENT: 'consent to the use of the data is denied, by the target’s consent or the account’s defaults',
  NO_CONSENT: 'the advertiser gave no consent for the data to be used by the core platform services of Google Ads; give it in the account',
  UNKNOWN_CONSENT: 'consent could not be determined; declare it with the target, or as a default of the account',
  INVALID_FORMAT: 'the members are not in the form Google takes',
};

/** The answer to `requestStatus:retrieve`, for a request with one destination, to which `members` were handed over. */
export function stateIn(data: unknown, members: number): JobState {
  const read = answer.safeParse(data);
  const only = read.success ? read.data.requestStatusPerDestination[0]! : {};
  switch (only.requestStatus) {
    case 'PROCESSING':
      return { state: 'running', againMs };
    case 'SUCCESS':
    case 'PARTIAL_SUCCESS':
      return ended(only, members);
    // The enum says FAILED, the guide FAILURE.
    case 'FAILED':
    case 'FAILURE':
      return failed(only);
    default:
      throw new VendorError({ code: 'UNKNOWN', status: 200, message: 'Google does not say how far the request is' });
  }
}

/** The request is not to be seen: by a name it does not know, it never will be; otherwise it may not be visible yet. */
export function stateOf(error: VendorError): JobState | undefined {
  if (error.vendorCode === 'INVALID_REQUEST_ID') {
    return { state: 'failed', retry: true, code: 'JOB_NOT_FOUND', cause: 'Google does not know the request; it forgot it, or never took it' };
  }
  return error.code === 'NOT_FOUND' ? { state: 'running', againMs } : undefined;
}

/** Google counts records by reason and names none: of a single one nobody knows whether it was taken. */
function ended(only: Destination, members: number): JobState {
  const { recordCount, uploadMatchRateRange } = statsIn(only);
  const taken = takenOf(only, Math.min(recordCount ?? members, members));
  const [least, most] = ranges[uploadMatchRateRange?.replace(/^MATCH_RATE_RANGE_/, '') ?? ''] ?? [];
  return {
    state: 'ended',
    results: [],
    unnamed: 'unattributed',
    ...(taken === undefined ? {} : { taken }),
    ...(least === undefined || most === undefined ? {} : { matched: { least: least / 100, most: most / 100 } }),
  };
}

/** `recordCount` counts all that were sent, whatever became of them. "May not be populated in all cases" is said of the errors. */
function takenOf({ requestStatus, errorInfo }: Destination, sent: number): number | undefined {
  if (requestStatus === 'SUCCESS') return sent;
  const counts = (errorInfo?.errorCounts ?? []).map(({ recordCount }) => recordCount);
  if (counts.length === 0 || counts.includes(undefined)) return undefined;
  return Math.max(0, sent - counts.reduce<number>((sum, one) => sum + (one ?? 0), 0));
}

function statsIn({ audienceMembersIngestionStatus: joined, audienceMembersRemovalStatus: left }: Destination): Partial<z.output<typeof stats>> {
  return Object.values(joined ?? left ?? {})[0] ?? {};
}

function failed({ errorInfo }: Destination): JobState {
  const reasons = (errorInfo?.errorCounts ?? []).flatMap(({ reason }) =>
    reason !== undefined && /^[A-Z0-9_]{1,100}$/.test(reason) ? [reason.replace(/^PROCESSING_ERROR_REASON_/, '')] : [],
  );
  const [first] = reasons;
  const known = reasons.filter((reason) => Object.hasOwn(permanent, reason));
  const retry = reasons.length === 0 || known.length < reasons.length;
  const words = known.map((reason) => permanent[reason]).join('; ');
  const why = words === '' ? (first === undefined ? 'without a reason' : `for ${reasons.join(', ')}`) : `because ${words}`;
  return {
    state: 'failed',
    retry,
    code: first ?? 'REQUEST_FAILED',
    cause: `Google took none of the members, ${why}`,
    ...(errorInfo === undefined ? {} : { vendorSaid: JSON.parse(JSON.stringify(errorInfo)) as Json }),
  };
}
