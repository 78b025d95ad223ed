import { z } from 'zod';
import type { Json } from '../../../schemas/json';
import type { Call, JobState, RecordResult } from '../../connector';
import { maskText } from '../../mask';
import { explain, type Explained } from '../errors';
import { fromCsv } from './bulk-csv';
import { maskOf, unreadableAnswer, type SObjectRow } from './rows';

const states = ['Open', 'UploadComplete', 'InProgress', 'JobComplete', 'Failed', 'Aborted'] as const;
const info = z.object({
  id: z.string().regex(/^\w{15,18}$/),
  state: z.enum(states),
  errorMessage: z.string().nullish(),
});

/** A job as Salesforce describes it. */
export type JobInfo = z.output<typeof info>;

/** Reads a job's description; throws when it is none. */
export function jobInfo(what: string, data: unknown): JobInfo {
  const read = info.safeParse(data);
  if (!read.success) throw unreadableAnswer(what, data);
  return read.data;
}

interface EndedJob {
  path: string;
  info: JobInfo;
  externalId: string;
  rows: readonly SObjectRow[];
  key: (row: SObjectRow) => string;
}

/**
 * What became of each row of an ended job. `JobComplete` may hold failures, and an aborted or failed job may have written some
 * rows: three CSVs tell. A row in none of them has not landed.
 */
export async function jobResults(call: Call, job: EndedJob): Promise<JobState> {
  const read = async (list: string, must: string): Promise<Record<string, string>[]> => {
    const response = await call.request({ method: 'GET', path: `${job.path}/${list}`, answer: 'text', headers: { accept: 'text/csv' } });
    return fromCsv(list, response.data, must);
  };
  const byKey = new Map(job.rows.map((row) => [job.key(row), row]));
  const keyIn = (line: Record<string, string>): string => job.key({ externalId: line[job.externalId] ?? '', fields: {} });
  const results = new Map<string, RecordResult>();

  for (const line of await read('successfulResults', 'sf__Id')) {
    const [key, vendorId] = [keyIn(line), line['sf__Id'] ?? ''];
    if (byKey.has(key) && vendorId !== '') results.set(key, { key, status: 'verified', vendorId });
  }
  // An error outweighs a success of the same record: what both mean is not documented, and a repeat is safe.
  for (const line of await read('failedResults', 'sf__Error')) {
    const row = byKey.get(keyIn(line));
    if (row) results.set(job.key(row), refused(job.key(row), row, line['sf__Error'] ?? ''));
  }

  const rest = [...byKey.keys()].filter((key) => !results.has(key));
  const stopped = whyStopped(job.info);
  if (stopped && results.size === 0) return { state: 'failed', ...stopped, vendorSaid: job.info as Json };
  if (rest.length > 0) {
    const unprocessed = new Set((await read('unprocessedrecords', job.externalId)).map(keyIn));
    for (const key of rest) results.set(key, left(key, unprocessed.has(key) ? stopped : undefined));
  }
  return { state: 'ended', results: job.rows.map((row) => results.get(job.key(row))!), unnamed: 'unattributed' };
}

function refused(key: string, row: SObjectRow, said: string): RecordResult {
  const { code, cause, passing } = explainCell(said, row);
  return { key, status: passing ? 'retry' : 'rejected', code, cause, vendorSaid: { sf__Error: said } };
}

/** `REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --`: code, message, fields. */
function explainCell(said: string, row: SObjectRow): Explained {
  const [, statusCode, message = '', fields = ''] = /^([A-Z][A-Z0-9_]*):(.*?)(?::([\w, ]*) ?--)?\s*$/s.exec(said) ?? [];
  if (statusCode === undefined) return { ...explain({ message: said }, maskOf(row)), passing: true };
  return explain({ statusCode, message, fields: fields.split(',').map((name) => name.trim()) }, maskOf(row));
}

interface Stopped {
  retry: boolean;
  code: string;
  cause: string;
}

// `errorMessage` of a failed job begins with one of these when the CSV itself is at fault ("InvalidBatch : Field name not
// found : Nope__c"): the same rows would fail again. Anything else may pass.
const ours = /^(InvalidBatch|ClientInputError|FeatureNotEnabled|InvalidEntity|InvalidOperation)\b/;

/** Why a job ended before its rows did; undefined = it ran to its end. */
function whyStopped({ state, errorMessage }: JobInfo): Stopped | undefined {
  // Somebody with the right to did it, on purpose: to be replayed by somebody, too.
  if (state === 'Aborted') return { retry: false, code: 'JOB_ABORTED', cause: 'somebody at Salesforce aborted the job' };
  if (state !== 'Failed') return undefined;
  const code = /^([A-Za-z]\w{0,59}) ?:/.exec(errorMessage ?? '')?.[1] ?? 'JOB_FAILED';
  return { retry: !ours.test(errorMessage ?? ''), code, cause: `the job failed: ${maskText(errorMessage || 'Salesforce gave no reason')}` };
}

/** A row with neither an id nor an error. */
function left(key: string, stopped: Stopped | undefined): RecordResult {
  if (stopped) return { key, status: stopped.retry ? 'retry' : 'rejected', code: stopped.code, cause: `not processed: ${stopped.cause}` };
  return { key, status: 'retry', code: 'MISSING_RESULT', cause: 'the ended job named this record neither as written nor as refused' };
}
