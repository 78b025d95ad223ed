import type { z } from 'zod';
import { defineJobOperation, type Call, type JobOperation } from '../../connector';
import { VendorError } from '../../errors';
import { hashedKey, hashedMember, hashedParts, readHashedKey, type HashedMember, type HashedParts } from '../../identifiers/hashed-member';
import { audienceMember, type AudienceMember } from '../../identifiers/member';
import { refusals, sessionFinished, sessionTimedOut } from '../codes';
import { meta, version } from '../index';
import { callsOf, dataRowsOf, metaRules, schema } from '../members';
import { jobName, readJobName, refusedState, sessionIdOf, stateOf, type UploadJob } from '../session';

// A job is one session of calls. Meta sets no end to it; this many rows make a few calls, which fit into one hand-over.
const maxRows = 20_000;
const maxBytes = 64 * 1024 * 1024;

/**
 * Adds people to a customer-file Custom Audience. Who is a member already stays one: sending somebody twice does nothing.
 *
 * @param audienceId - of an audience of subtype `CUSTOM`, made beforehand
 */
export function addToAudience(audienceId: string): JobOperation<AudienceMember> {
  return uploadJob({
    audienceId,
    verb: 'add',
    input: audienceMember,
    partsOf: (member) => hashedParts(member, metaRules),
  });
}

/** Takes people off a Custom Audience, by the keys under which {@link addToAudience} knew them. */
export function removeFromAudience(audienceId: string): JobOperation<HashedMember> {
  return uploadJob({
    audienceId,
    verb: 'remove',
    input: hashedMember,
    // The input is checked: what is no key gets no further.
    partsOf: ({ key }) => readHashedKey(key) ?? {},
  });
}

interface Upload<S extends z.ZodType> {
  audienceId: string;
  verb: 'add' | 'remove';
  input: S;
  partsOf: (row: z.output<S>) => HashedParts;
}

function uploadJob<S extends z.ZodType>({ audienceId, verb, input, partsOf }: Upload<S>): JobOperation<z.output<S>> {
  if (!/^\d{1,30}$/.test(audienceId)) throw new Error(`an audience of Meta has a number, not "${audienceId}"`);
  const name = `audience.${audienceId}.${verb}`;
  const method = verb === 'add' ? 'POST' : 'DELETE';
  const upload = async (call: Call, rows: readonly z.output<S>[], session: number): Promise<UploadJob> => {
    let [seq, dataRows] = [0, 0];
    for (const { data, last } of callsOf(hashedOf(rows))) {
      seq += 1;
      dataRows += data.length;
      const about = { session_id: session, batch_seq: seq, last_batch_flag: last, estimated_num_total: Math.max(rows.length, dataRows) };
      const body = { payload: { schema, data }, session: about };
      const answer = await call.request({ method, path: `/${version}/${audienceId}/users`, body });
      confirmed(answer);
    }
    return { audience: audienceId, session, members: rows.length, dataRows };
  };
  function* hashedOf(rows: readonly z.output<S>[]): Generator<HashedParts> {
    for (const row of rows) yield partsOf(row);
  }
  /** An upload of which no answer tells the number of rows. */
  const counted = (rows: readonly z.output<S>[], session: number): UploadJob => ({
    audience: audienceId,
    session,
    members: rows.length,
    dataRows: rows.reduce<number>((sum, row) => sum + dataRowsOf(partsOf(row)).length, 0),
  });

  return defineJobOperation({
    connector: meta,
    name,
    object: `audience-member:${audienceId}`,
    maxRows,
    maxBytes,
    resend: 'safe',
    input,
    key: (row) => hashedKey(partsOf(row)),
    async submit(call, rows, ours) {
      if (rows.length === 0 || rows.length > maxRows) {
        throw new VendorError({ code: 'INVALID', status: null, message: `${rows.length} rows for an upload to Meta, which takes 1 to ${maxRows}; not sent` });
      }
      const session = sessionIdOf(name, ours);
      try {
        return { job: jobName(await upload(call, rows, session)) };
      } catch (error) {
        const code = error instanceof VendorError ? (error.vendorCode ?? '') : '';
        // Closed by an earlier hand-over of the same rows, whose answer was lost: they are all there.
        if (code === sessionFinished) return { job: jobName(counted(rows, session)) };
        // Begun by an earlier one, too long ago. Members sent already are sent again, which does nothing.
        if (code === sessionTimedOut) return { job: jobName(await upload(call, rows, sessionIdOf(name, undefined))) };
        // No row is at fault, so none is to be looked for: the job is over, and says why.
        if (refusals.includes(code)) return { job: jobName({ ...counted(rows, session), refusal: code }) };
        throw error;
      }
    },
    async poll(call, job) {
      const known = readJobName(job);
      if (known?.audience !== audienceId)
        return { state: 'failed', retry: true, code: 'JOB_NOT_FOUND', cause: 'the name is not of an upload to this audience' };
      if (known.refusal !== undefined) return refusedState(known.refusal);
      const { status, data } = await call.get(`/${version}/${audienceId}/sessions`, {
        session_id: String(known.session),
        fields: 'session_id,stage,progress,start_time,end_time,num_received,num_invalid_entries,num_matched',
      });
      return stateOf(known, status, data);
    },
  });
}

/** `{"audience_id","session_id","num_received","num_invalid_entries","invalid_entry_samples"}`: the counts are read from the session. */
function confirmed({ status, data }: { status: number; data: unknown }): void {
  const received = (data as { num_received?: unknown } | null)?.num_received;
  if (typeof received === 'number' || typeof received === 'string') return;
  throw new VendorError({ code: 'UNKNOWN', status, ambiguous: true, message: 'Meta took rows without counting them; they may have taken effect' });
}
