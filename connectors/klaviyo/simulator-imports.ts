import { randomUUID } from 'node:crypto';
import type { SimAnswer, SimRequest } from '../simulator/types';
import { objectOf } from './json-api';
import { failure, problem, refused, type Problem } from './simulator-answers';
import { emailIn, shapeProblem, store, valueProblem } from './simulator-profiles';

const maxProfiles = 10_000;
const maxBytes = 5 * 1024 * 1024;
const maxPage = 100;

interface Job {
  id: string;
  status: 'queued' | 'processing' | 'complete';
  total: number;
  errors: { id: string; problem: Problem; payload: unknown }[];
  at: { created: string; started?: string; completed?: string };
}

function profilesIn(body: unknown): unknown[] {
  const data = objectOf(objectOf(objectOf(objectOf(body)?.['data'])?.['attributes'])?.['profiles'])?.['data'];
  return Array.isArray(data) ? data : [];
}

export function keysOfJob(body: unknown): string[] {
  return profilesIn(body).map(emailIn);
}

/** 202. The body is looked at at once, the profiles later: they land when the job completes, whether anybody asks or not. */
export function submitJob(request: SimRequest): SimAnswer {
  const rows = profilesIn(request.body);
  if (JSON.stringify(request.body).length > maxBytes) return failure(413, request.requestId);
  if (rows.length === 0 || rows.length > maxProfiles) {
    return refused(400, request.requestId, problem('invalid', `Between 1 and ${maxProfiles} profiles are expected.`, '/data/attributes/profiles/data'));
  }
  const at = (index: number): string => `/data/attributes/profiles/data/${index}`;
  for (const [index, row] of rows.entries()) {
    const found = shapeProblem(row, at(index));
    if (found) return refused(400, request.requestId, found);
  }
  const job: Job = { id: randomUUID(), status: 'queued', total: rows.length, errors: [], at: { created: new Date(request.now).toISOString() } };
  request.memory.set(job.id, job);
  const lists = objectOf(objectOf(objectOf(objectOf(request.body)?.['data'])?.['relationships'])?.['lists'])?.['data'];
  const listIds = Array.isArray(lists) ? lists.map((list) => String(objectOf(list)?.['id'])) : [];
  const later = (run: () => void): void => {
    // A reset forgets jobs under way.
    setTimeout(() => request.memory.get(job.id) === job && run(), request.config.jobMs).unref();
  };
  later(() => {
    job.status = 'processing';
    job.at.started = new Date().toISOString();
    later(() => {
      rows.forEach((row, index) => {
        const found = valueProblem(row, request, at(index));
        if (found) job.errors.push({ id: randomUUID(), problem: found, payload: row });
        else land(request, row, listIds);
      });
      job.status = 'complete';
      job.at.completed = new Date().toISOString();
    });
  });
  return { status: 202, body: { data: jobView(job) } };
}

/** Under the fault `lying200` of the submission these writes keep nothing. */
function land(request: SimRequest, row: unknown, lists: readonly string[]): void {
  const { record } = store(request, objectOf(objectOf(row)?.['attributes']) ?? {});
  for (const list of lists) request.write(`list:${list}`, record.key, { profile: record.id });
}

export function jobOf(request: SimRequest): SimAnswer {
  const job = request.memory.get(request.params['id'] ?? '') as Job | undefined;
  return job ? { status: 200, body: { data: jobView(job) } } : failure(404, request.requestId);
}

export function importErrors(request: SimRequest): SimAnswer {
  const job = request.memory.get(request.params['id'] ?? '') as Job | undefined;
  if (!job) return failure(404, request.requestId);
  const size = Number(request.query['page[size]'] ?? 20);
  if (!(size >= 1 && size <= maxPage))
    return refused(400, request.requestId, problem('invalid', `Page size must be an integer between 1 and ${maxPage}.`, 'page[size]'));
  const from = Number(request.query['page[cursor]'] ?? 0);
  const data = job.errors.slice(from, from + size).map(({ id, problem: attributes, payload }) => ({
    type: 'import-error',
    id,
    attributes: { ...attributes, original_payload: payload },
  }));
  const self = `https://a.klaviyo.com/api/profile-bulk-import-jobs/${job.id}/import-errors`;
  const next = from + size < job.errors.length ? `${self}?page%5Bcursor%5D=${from + size}` : null;
  return { status: 200, body: { data, links: { self, next, prev: null } } };
}

function jobView({ id, status, total, errors, at }: Job): object {
  const over = status === 'complete';
  return {
    type: 'profile-bulk-import-job',
    id,
    attributes: {
      status,
      created_at: at.created,
      started_at: at.started ?? null,
      completed_at: at.completed ?? null,
      expires_at: null,
      total_count: total,
      completed_count: over ? total - errors.length : 0,
      failed_count: over ? errors.length : 0,
    },
    links: { self: `https://a.klaviyo.com/api/profile-bulk-import-jobs/${id}` },
  };
}
