import { defineJobOperation, type Call, type JobOperation, type JobState } from '../../connector';
import { VendorError } from '../../errors';
import { apiPath, salesforce } from '../index';
import { clears, toCsv } from './bulk-csv';
import { jobInfo, jobResults } from './bulk-results';
import { checkedTarget, keyOf, rowSchema, unreadableAnswer, type SObjectRow, type SObjectTarget } from './rows';

// Salesforce takes 150 MB a job and cuts it into batches of 10,000 rows itself. Results come back as one CSV that repeats
// every column, and must fit into one answer (16 MiB, http.ts).
const maxRows = 10_000;
const maxBytes = 8 * 1024 * 1024;
/** Between two looks, milliseconds. Each costs a request of the org's allocation. */
const againMs = 10_000;

const jobs = `${apiPath}/jobs/ingest`;

/**
 * The same write as `upsertSObjects`, as a Bulk API 2.0 job: create, upload a CSV, close; look until it has ended; read what
 * became of each row. Nothing is processed before the job is closed, so a job lost on the way does nothing. Salesforce
 * recommends it from 2,000 records.
 *
 * @param target - `name` tells the operation apart; stable
 */
export function importSObjects(target: SObjectTarget & { name: string }): JobOperation<SObjectRow> {
  const { object, externalId } = checkedTarget(target);
  const key = (row: SObjectRow): string => keyOf(target, row.externalId);
  return defineJobOperation({
    connector: salesforce,
    name: target.name,
    object,
    maxRows,
    maxBytes,
    resend: 'safe',
    input: rowSchema(target).refine(({ externalId: id, fields }) => ![id, ...Object.values(fields)].includes(clears), {
      message: `a value must not be the text ${clears}: in a CSV it would clear the field`,
    }),
    key,
    async submit(call, rows) {
      const content = toCsv(externalId, rows);
      const bytes = Buffer.byteLength(content);
      if (bytes > maxBytes) {
        throw new VendorError({ code: 'TOO_LARGE', status: null, message: `a job of ${bytes} bytes; at most ${maxBytes} are sent at once` });
      }
      const asked = { object, operation: 'upsert', externalIdFieldName: externalId, contentType: 'CSV', lineEnding: 'LF' };
      const { id } = jobInfo('a new job', (await call.post(jobs, asked)).data);
      await call.request({ method: 'PUT', path: `${jobs}/${id}/batches`, text: { content, type: 'text/csv' }, answer: 'text' });
      await close(call, id);
      return { job: id };
    },
    async poll(call, job, rows): Promise<JobState> {
      if (!/^\w{15,18}$/.test(job)) throw unreadableAnswer('with a job id', job);
      const info = jobInfo('a look at a job', (await call.get(`${jobs}/${job}`)).data);
      switch (info.state) {
        case 'UploadComplete':
        case 'InProgress':
          return { state: 'running', againMs };
        case 'Open':
          return { state: 'failed', retry: true, code: 'NOT_CLOSED', cause: 'the job was never closed, so Salesforce has processed nothing' };
        default:
          return jobResults(call, { path: `${jobs}/${job}`, info, externalId, rows, key });
      }
    },
  });
}

/** Closes a job for processing. When the answer is lost, one look tells whether it came through: then the job is under way. */
async function close(call: Call, id: string): Promise<void> {
  try {
    await call.request({ method: 'PATCH', path: `${jobs}/${id}`, body: { state: 'UploadComplete' } });
  } catch (error) {
    if (!(error instanceof VendorError) || !error.ambiguous) throw error;
    const seen = await call.get(`${jobs}/${id}`).then(
      ({ data }) => jobInfo('a look at a job', data).state,
      () => 'Open',
    );
    if (seen === 'Open') throw error;
  }
}
