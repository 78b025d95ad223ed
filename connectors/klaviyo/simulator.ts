import type { Limit } from '../connector';
import type { SimAnswer, SimRequest, SimRoute, SimulatedVendor } from '../simulator/types';
import { klaviyo } from './index';
import { mediaType, objectOf } from './json-api';
import { burst, steady } from './limits';
import { importErrors, jobOf, keysOfJob, submitJob } from './simulator-imports';
import { failure, problem, refused, versioned } from './simulator-answers';
import { profiles, profileProblem, store, view } from './simulator-profiles';

const maxMembers = 1_000;
const maxPage = 100;

/** One profile, created (201) or updated (200). */
function importOne(request: SimRequest): SimAnswer {
  const sent = objectOf(objectOf(request.body)?.['data']);
  const found = profileProblem(sent, request, '/data');
  if (found) return refused(400, request.requestId, found);
  const { record, created } = store(request, objectOf(sent?.['attributes']) ?? {});
  return { status: created ? 201 : 200, body: { data: view(record) } };
}

function emailOf(body: unknown): string[] {
  const email = objectOf(objectOf(objectOf(body)?.['data'])?.['attributes'])?.['email'];
  return typeof email === 'string' ? [email.toLowerCase()] : [];
}

/** `any(email,["a@b.co",…])`; undefined = a filter we do not know. */
function emailsIn(filter: string | undefined): string[] | undefined {
  const list = /^any\(email,(\[.*\])\)$/s.exec(filter ?? '')?.[1];
  if (list === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(list);
    return Array.isArray(parsed) && parsed.every((one) => typeof one === 'string') ? parsed.map((one) => one.toLowerCase()) : undefined;
  } catch {
    return undefined;
  }
}

function search(request: SimRequest): SimAnswer {
  const emails = emailsIn(request.query['filter']);
  const size = Number(request.query['page[size]'] ?? 20);
  if (!emails) return refused(400, request.requestId, problem('invalid', 'Invalid filter provided.', 'filter'));
  if (!(size >= 1 && size <= maxPage))
    return refused(400, request.requestId, problem('invalid', `Page size must be an integer between 1 and ${maxPage}.`, 'page[size]'));
  const found = [...new Set(emails)].map((email) => request.find(profiles, email)).filter((record) => record !== undefined);
  const from = Number(request.query['page[cursor]'] ?? 0);
  const next = from + size < found.length ? `https://a.klaviyo.com/api/profiles?page%5Bcursor%5D=${from + size}` : null;
  return { status: 200, body: { data: found.slice(from, from + size).map(view), links: { self: 'https://a.klaviyo.com/api/profiles', next, prev: null } } };
}

function idsOf(body: unknown): string[] {
  const data = objectOf(body)?.['data'];
  return Array.isArray(data) ? data.map((one) => objectOf(one)?.['id']).map((id) => (typeof id === 'string' ? id : '')) : [];
}

/** Puts profiles on a list or takes them off: 204, whatever was there before. */
function members(request: SimRequest, change: 'add' | 'remove'): SimAnswer {
  const ids = idsOf(request.body);
  if (ids.length === 0 || ids.length > maxMembers) {
    return refused(400, request.requestId, problem('invalid', `Between 1 and ${maxMembers} profiles are expected.`, '/data'));
  }
  const records = ids.map((id) => request.findById(profiles, id));
  const missing = records.indexOf(undefined);
  if (missing >= 0) return refused(404, request.requestId, problem('not_found', `A profile with id ${ids[missing]} does not exist.`, `/data/${missing}/id`));
  const list = `list:${request.params['id']}`;
  for (const record of records) {
    if (change === 'remove') request.remove(list, record!.key);
    else request.write(list, record!.key, { profile: record!.id });
  }
  return { status: 204 };
}

const memberKeys: SimRoute['keys'] = ({ body }) => idsOf(body);
const listPath = '/api/lists/:id/relationships/profiles';
const jobsPath = '/api/profile-bulk-import-jobs';

const routes: SimRoute[] = [
  { method: 'POST', path: '/api/profile-import', quota: 'profiles', keys: ({ body }) => emailOf(body), handle: importOne },
  { method: 'GET', path: '/api/profiles', quota: 'profiles', keys: ({ query }) => emailsIn(query['filter']) ?? [], handle: search },
  { method: 'POST', path: jobsPath, quota: 'imports', keys: ({ body }) => keysOfJob(body), handle: submitJob },
  { method: 'GET', path: `${jobsPath}/:id`, quota: 'imports', handle: jobOf },
  { method: 'GET', path: `${jobsPath}/:id/import-errors`, quota: 'imports', handle: importErrors },
  { method: 'POST', path: listPath, quota: 'lists', keys: memberKeys, handle: (request) => members(request, 'add') },
  { method: 'DELETE', path: listPath, quota: 'lists', keys: memberKeys, handle: (request) => members(request, 'remove') },
];

/** Klaviyo, simulated: profiles one by one and as jobs, search by e-mail address, lists; limits per family of endpoints. */
export const simulated: SimulatedVendor = {
  vendor: 'klaviyo',
  plans: klaviyo.plans,
  limits: (plan, quota) => klaviyo.limits(plan, quota),
  token: (headers) => /^Klaviyo-API-Key (\S+)$/.exec(headers['authorization'] ?? '')?.[1] ?? null,
  routes: routes.map((route) => ({ ...route, handle: versioned((request) => route.handle(request)) })),
  headers(windows, _requestId, status) {
    const minute = windows.find(({ limit }) => limit.name === steady);
    const type = status === 204 ? {} : { 'content-type': mediaType };
    // "not returned when you actually hit a HTTP 429 error": rate_limits_and_error_handling
    if (status === 429 || !minute) return type;
    const { limit, remaining } = minute;
    return { ...type, 'ratelimit-limit': String(limit.max), 'ratelimit-remaining': String(remaining), 'ratelimit-reset': String(secondsLeft(limit)) };
  },
  limited(limit, requestId) {
    // Never a second for the minute: who asks at its very end would be told the same as over the burst.
    const seconds = limit.name === burst ? 1 : Math.max(2, secondsLeft(limit));
    const said = `Request was throttled. Expected available in ${seconds} second${seconds === 1 ? '' : 's'}.`;
    return { ...failure(429, requestId, said), headers: { 'retry-after': String(seconds) } };
  },
  failure,
};

/** Until the window starts anew, on the clock. */
function secondsLeft(limit: Limit): number {
  const ms = limit.kind === 'concurrent' ? 1_000 : limit.ms;
  return Math.ceil((ms - (Date.now() % ms)) / 1000);
}
