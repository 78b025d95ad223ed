import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { JobState } from '../connector';
import { VendorError } from '../errors';
import { causeOf, refusals } from './codes';

/** Looks between which a session makes headway: Meta says "up to 24 hours", and a look costs a call. Milliseconds. */
const againMs = 60_000;

/**
 * The number of an upload session: the same for the same rows of the same run, so that a repeat goes on with the session it
 * began. Meta takes 64 bits; 53 of them are what JSON carries exactly.
 *
 * @param name - ours, of these rows; without one the number is random
 */
export function sessionIdOf(operation: string, name: string | undefined): number {
  const bytes = name === undefined ? randomBytes(8) : createHash('sha256').update(`${operation}\n${name}`, 'utf8').digest();
  return Number(bytes.readBigUInt64BE() >> 11n) || 1;
}

/** What a job's name tells: enough to judge the session without its rows, of which some may have changed since. */
export interface UploadJob {
  audience: string;
  session: number;
  /** Members handed over, and the rows they made. */
  members: number;
  dataRows: number;
  /** Our name of the refusal that ended it at once. */
  refusal?: string;
}

/** `<audience>.<session>.<members>.<rows>`, and after a refusal its name. */
export function jobName({ audience, session, members, dataRows, refusal }: UploadJob): string {
  return [audience, session, members, dataRows, ...(refusal === undefined ? [] : [refusal])].join('.');
}

/** The job of a name; null = a name that is not ours. */
export function readJobName(name: string): UploadJob | null {
  const [, audience, session, members, dataRows, refusal] = /^(\d+)\.(\d{1,16})\.(\d{1,9})\.(\d{1,9})(?:\.([A-Z_]+))?$/.exec(name) ?? [];
  if (audience === undefined) return null;
  return { audience, session: Number(session), members: Number(members), dataRows: Number(dataRows), ...(refusal === undefined ? {} : { refusal }) };
}

/** Numbers come as texts; -1 = not known yet. */
const count = z.union([z.number(), z.string().regex(/^-?\d{1,15}$/)]).transform(Number);

// The answer as recorded in github.com/facebook/facebook-java-business-sdk issue 492 (2025-09).
const session = z.object({
  stage: z.string(),
  end_time: count.optional(),
  progress: count.optional().catch(undefined),
  num_received: count,
  num_invalid_entries: count,
  num_matched: count.optional(),
});
const sessions = z.object({ data: z.array(z.unknown()) });

/** How far an upload is, by the answer to `GET /<audience>/sessions?session_id=…`. Throws `VendorError` on what it cannot read. */
export function stateOf(job: UploadJob, status: number, answer: unknown): JobState {
  const list = sessions.safeParse(answer);
  if (list.success && list.data.data.length === 0) return failed('JOB_NOT_FOUND', true, 'Meta does not know the upload session');
  const read = session.safeParse(list.data?.data[0]);
  if (!read.success) throw new VendorError({ code: 'UNKNOWN', status, message: 'Meta does not say how far the upload is' });
  const { stage, end_time: end = 0, progress = 0, num_matched: matched = -1, ...counts } = read.data;
  // The names of the stages are not documented, but for `uploading` none was seen.
  if (/fail|error|cancel|abort/i.test(stage)) return failed('UPLOAD_FAILED', true, 'Meta says that the upload failed');
  if (end <= 0 && progress < 100) return { state: 'running', againMs };
  const received = Math.max(0, counts.num_received);
  const taken = takenOf(job, received, Math.max(0, counts.num_invalid_entries));
  return {
    state: 'ended',
    results: [],
    unnamed: 'unattributed',
    ...(taken === undefined ? {} : { taken }),
    ...(matched < 0 || received === 0 ? {} : { matched: matchedOf(job, received, matched) }),
  };
}

/** An upload refused when it was handed over: over, and not to be tried again before somebody has acted. */
export function refusedState(refusal: string): JobState {
  const cause = refusals.includes(refusal) ? causeOf(refusal) : undefined;
  return failed(refusal, false, cause ?? 'Meta refused the upload');
}

function failed(code: string, retry: boolean, cause: string): JobState {
  return { state: 'failed', retry, code, cause };
}

/**
 * Members taken. Meta counts rows: they are members while each has one row. Where some have several, a lost row is not a lost
 * member, and nobody can say whose it was; where a repeated batch was counted twice, so may be its invalid rows.
 */
function takenOf({ members, dataRows }: UploadJob, received: number, invalid: number): number | undefined {
  const lost = Math.max(0, dataRows - received) + invalid;
  if (lost === 0) return members;
  return members === dataRows && received <= dataRows ? Math.max(0, members - lost) : undefined;
}

/** Two matched rows may be one person, if people have several. */
function matchedOf({ members, dataRows }: UploadJob, received: number, matched: number): { least: number; most: number } {
  if (members === dataRows) return { least: Math.min(1, matched / received), most: Math.min(1, matched / received) };
  const most = Math.min(1, matched / members);
  return { least: Math.max(0, Math.min(most, (matched - (dataRows - members)) / members)), most };
}
