import { defineJobOperation, type Call, type JobOperation, type JobState } from '../../connector';
import { VendorError } from '../../errors';
import { klaviyo } from '../index';
import { ask, resourceIn, type Resource } from '../json-api';
import { failuresOf } from './import-errors';
import { memberOf } from './list-members';
import { emailKey } from '../../email-key';
import { profileInput, resourceOf, type Profile } from './profile';

const path = '/api/profile-bulk-import-jobs';
/** Klaviyo names no time. A look costs a permit of 150 a minute, which all jobs share. */
const againMs = 5_000;

/**
 * Creates or updates up to 10,000 profiles as a job: `POST /api/profile-bulk-import-jobs`, 202, then `GET …/{id}` until it is
 * `complete`. Klaviyo looks at the whole body first: one malformed row refuses the job (400, with a pointer to the row).
 */
export const importProfiles = importJob({ name: 'profiles.import', object: 'profile' });

/** {@link importProfiles} that also puts the profiles on a list. Changes no consent. */
export function importIntoList(list: string): JobOperation<Profile> {
  return importJob({ name: `list.${list}.import`, object: memberOf(list), list });
}

function importJob({ name, object, list }: { name: string; object: string; list?: string }): JobOperation<Profile> {
  const relationships = list === undefined ? {} : { relationships: { lists: { data: [{ type: 'list', id: list }] } } };
  return defineJobOperation({
    connector: klaviyo,
    name,
    object,
    quota: 'imports',
    maxRows: 10_000,
    // 5 MB in Klaviyo's words; the lower reading counts, less what surrounds the rows.
    maxBytes: 5_000_000 - 1_000,
    resend: 'safe',
    input: profileInput,
    key: ({ email }) => emailKey(email),
    async submit(call, rows) {
      const attributes = { profiles: { data: rows.map(resourceOf) } };
      const { status, data } = await ask(call, { method: 'POST', path, body: { data: { type: 'profile-bulk-import-job', attributes, ...relationships } } });
      const job = resourceIn(data)?.id;
      if (job !== undefined) return { job };
      throw new VendorError({ code: 'UNKNOWN', status, ambiguous: true, message: 'Klaviyo took a job without naming it; it may have taken effect' });
    },
    async poll(call, job, rows) {
      const found = await look(call, job);
      if (!found) return failed('JOB_NOT_FOUND', 'Klaviyo does not know the job; it forgets jobs after some time, or never took this one');
      switch (found.attributes['status']) {
        case 'queued':
        case 'processing':
          return { state: 'running', againMs };
        case 'cancelled':
          return failed('JOB_CANCELLED', 'Klaviyo cancelled the job');
        case 'complete':
          return ended(call, job, rows, found);
        default:
          throw new VendorError({ code: 'UNKNOWN', status: 200, message: 'Klaviyo does not say how far the job is' });
      }
    },
  });
}

async function look(call: Call, job: string): Promise<Resource | undefined> {
  try {
    const { data } = await ask(call, { method: 'GET', path: `${path}/${encodeURIComponent(job)}` });
    return resourceIn(data) ?? { attributes: {} };
  } catch (error) {
    if (error instanceof VendorError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

/** Handing it over again sets the same values again, so it may always be. */
function failed(code: string, cause: string): JobState {
  return { state: 'failed', retry: true, code, cause };
}

/**
 * `complete` says that the work is over, not that it went well: rows with an error are told apart by what they sent. Should
 * Klaviyo count more failures than it shows, or fewer rows than we sent, nobody knows of the rest which ones it took.
 */
async function ended(call: Call, job: string, rows: readonly Profile[], { attributes }: Resource): Promise<JobState> {
  const failedCount = countOf(attributes['failed_count']);
  const total = countOf(attributes['total_count']) ?? rows.length;
  const { results, unmatched } = failedCount === 0 ? { results: [], unmatched: 0 } : await failuresOf(call, `${path}/${encodeURIComponent(job)}`, rows);
  const complete = unmatched === 0 && (failedCount ?? results.length) <= results.length && total >= rows.length;
  if (complete) return { state: 'ended', results, unnamed: 'accepted' };
  const lost = Math.max(failedCount ?? 0, results.length + unmatched);
  return { state: 'ended', results, unnamed: 'unattributed', taken: Math.max(0, Math.min(total, rows.length) - lost) };
}

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;
}
