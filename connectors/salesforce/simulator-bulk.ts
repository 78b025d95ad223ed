import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import type { SimAnswer, SimRequest, SimRoute } from '../simulator/types';
import { apiPath } from './index';
import { failure } from './simulator-errors';
import { isField, targetProblem, writeRow, type SimTarget } from './simulator-rows';

interface Job {
  id: string;
  object: string;
  externalIdFieldName: string;
  state: 'Open' | 'UploadComplete' | 'InProgress' | 'JobComplete' | 'Failed' | 'Aborted';
  errorMessage?: string;
  header: string[];
  rows: string[][];
  /** Rows done; the rest is unprocessed. */
  done: number;
  closedAt: number;
  successful: string[][];
  failed: string[][];
  target: SimTarget;
}

const jobOf = (request: SimRequest): Job | undefined => request.memory.get(`job/${request.params['id']}`) as Job | undefined;
const refusal = (errorCode: string, message: string): SimAnswer => ({ status: 400, body: [{ errorCode, message }] });
const notOpen = (job: Job): SimAnswer => refusal('INVALIDJOBSTATE', `Job ${job.id} is in state ${job.state}`);

function create(request: SimRequest): SimAnswer {
  const asked = (request.body ?? {}) as Record<string, unknown>;
  const [object, externalIdFieldName] = [String(asked['object']), String(asked['externalIdFieldName'])];
  if (asked['operation'] !== 'upsert' || asked['contentType'] !== 'CSV' || asked['lineEnding'] !== 'LF') {
    return refusal('INVALIDJOB', 'Only upserts of CSV with line feeds are simulated');
  }
  const missing = targetProblem(object, externalIdFieldName, request);
  if (missing !== undefined) return refusal('INVALIDJOB', missing);
  const id = `750${String(request.memory.size + 1).padStart(15, '0')}`;
  const target: SimTarget = { object, externalIdField: externalIdFieldName, refused: new Map(), seen: new Set() };
  const empty = { header: [], rows: [], done: 0, closedAt: 0, successful: [], failed: [] };
  const job: Job = { id, object, externalIdFieldName, state: 'Open', ...empty, target };
  request.memory.set(`job/${id}`, job);
  return { status: 200, body: view(job) };
}

function upload(request: SimRequest): SimAnswer {
  const job = jobOf(request);
  if (!job) return failure(404, request.requestId);
  if (job.state !== 'Open' || job.header.length > 0) return notOpen(job);
  const [header = [], ...rows] = linesOf(request.body);
  job.header = header;
  job.rows = rows;
  job.target = { ...job.target, refused: request.refused };
  return { status: 201 };
}

function change(request: SimRequest): SimAnswer {
  const job = jobOf(request);
  if (!job) return failure(404, request.requestId);
  const { state } = (request.body ?? {}) as { state?: unknown };
  progress(request, job);
  if (state === 'UploadComplete' && job.state === 'Open') {
    job.state = 'UploadComplete';
    job.closedAt = request.now;
    return { status: 200, body: view(job) };
  }
  if (state === 'Aborted' && ['Open', 'UploadComplete', 'InProgress'].includes(job.state)) {
    job.state = 'Aborted';
    return { status: 200, body: view(job) };
  }
  return notOpen(job);
}

function look(request: SimRequest): SimAnswer {
  const job = jobOf(request);
  if (!job) return failure(404, request.requestId);
  progress(request, job);
  return { status: 200, body: view(job) };
}

/** A job waits `jobMs`, then works as long; half of its rows are done at once, the others at the end. */
function progress(request: SimRequest, job: Job): void {
  if (job.state !== 'UploadComplete' && job.state !== 'InProgress') return;
  const since = request.now - job.closedAt;
  if (since < request.config.jobMs) return;
  const unknown = job.header.find((name) => !isField(name, request));
  if (unknown !== undefined) {
    job.state = 'Failed';
    job.errorMessage = `InvalidBatch : Field name not found : ${unknown}`;
    return;
  }
  const ended = since >= 2 * request.config.jobMs;
  work(request, job, ended ? job.rows.length : Math.floor(job.rows.length / 2));
  job.state = ended ? 'JobComplete' : 'InProgress';
}

function work(request: SimRequest, job: Job, until: number): void {
  const at = job.header.indexOf(job.externalIdFieldName);
  for (; job.done < until; job.done += 1) {
    const row = job.rows[job.done]!;
    // An empty cell leaves the field as it is; `#N/A` clears it.
    const cells = job.header.map((name, index) => [name, row[index] ?? ''] as const).filter(([, value], index) => value !== '' && index !== at);
    const fields = Object.fromEntries(cells.map(([name, value]) => [name, value === '#N/A' ? '' : value]));
    const written = writeRow(request, job.target, { externalId: row[at] ?? '', fields });
    if ('id' in written) job.successful.push([written.id, String(written.created), ...row]);
    else job.failed.push(['', `${written.statusCode}:${written.message}:${written.fields.join(',')} --`, ...row]);
  }
}

function view({ id, object, externalIdFieldName, state, errorMessage, done, failed }: Job): Record<string, unknown> {
  const named = { id, operation: 'upsert', object, externalIdFieldName, state, contentType: 'CSV', lineEnding: 'LF', apiVersion: 65.0 };
  const counts = { numberRecordsProcessed: done, numberRecordsFailed: failed.length };
  return { ...named, contentUrl: `${apiPath.slice(1)}/jobs/ingest/${id}/batches`, ...counts, ...(errorMessage === undefined ? {} : { errorMessage }) };
}

const list = (columns: string[], rows: (job: Job) => string[][]): SimRoute['handle'] => {
  return (request) => {
    const job = jobOf(request);
    if (!job) return failure(404, request.requestId);
    if (!['JobComplete', 'Failed', 'Aborted'].includes(job.state)) return notOpen(job);
    return { status: 200, headers: { 'content-type': 'text/csv' }, body: stringify([[...columns, ...job.header], ...rows(job)], { quoted: true }) };
  };
};

const linesOf = (body: unknown): string[][] => (typeof body === 'string' ? parse(body, { skip_empty_lines: true }) : []);
const none = (): SimAnswer => ({ status: 200, headers: { 'content-type': 'text/csv' }, body: '' });
const jobs = `${apiPath}/jobs/ingest`;

/** Bulk API 2.0 ingest. Faults match rows by the first column of the CSV. */
export const bulkRoutes: readonly SimRoute[] = [
  { method: 'POST', path: jobs, handle: create, empty: () => ({ status: 200, body: {} }) },
  {
    method: 'PUT',
    path: `${jobs}/:id/batches`,
    keys: ({ body }) =>
      linesOf(body)
        .slice(1)
        .map(([key = '']) => key.toLowerCase()),
    handle: upload,
  },
  { method: 'PATCH', path: `${jobs}/:id`, handle: change },
  { method: 'GET', path: `${jobs}/:id`, handle: look, empty: () => ({ status: 200, body: {} }) },
  { method: 'GET', path: `${jobs}/:id/successfulResults`, handle: list(['sf__Id', 'sf__Created'], (job) => job.successful), empty: none },
  { method: 'GET', path: `${jobs}/:id/failedResults`, handle: list(['sf__Id', 'sf__Error'], (job) => job.failed), empty: none },
  { method: 'GET', path: `${jobs}/:id/unprocessedrecords`, handle: list([], (job) => job.rows.slice(job.done)), empty: none },
];
