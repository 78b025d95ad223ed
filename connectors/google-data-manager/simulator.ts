import { randomUUID } from 'node:crypto';
import type { SimAnswer, SimRequest, SimRoute, SimulatedVendor } from '../simulator/types';
import { googleDataManager } from './index';
import { ingestion, status } from './limits';
import { badRequest, failure, overQuota } from './simulator-answers';
import { loginRoute } from './simulator-login';
import { askedFor, keysIn, violationsIn, type AskedFor } from './simulator-validation';

/** Whose match rate is `NOT_ELIGIBLE` is not documented. A list needs 100 members to be shown ads, so fewer are a fair guess. */
const fewMembers = 100;

type Method = 'ingest' | 'remove';

interface Request extends AskedFor {
  id: string;
  method: Method;
  processed: boolean;
  /** Members not taken, by reason. */
  refused: Record<string, number>;
}

/** 200 with the name of the request, or nothing of it at all; members land later, whether anybody asks or not. */
const take =
  (method: Method): SimRoute['handle'] =>
  (request) => {
    const violations = violationsIn(request.body, method);
    if (violations.length > 0) return badRequest(request.requestId, violations.slice(0, 20));
    const taken: Request = { ...askedFor(request.body), id: randomUUID(), method, processed: false, refused: {} };
    request.memory.set(taken.id, taken);
    // A reset forgets requests under way.
    setTimeout(() => request.memory.get(taken.id) === taken && work(request, taken), 2 * request.config.jobMs).unref();
    return { status: 200, body: { requestId: taken.id } };
  };

function work(request: SimRequest, taken: Request): void {
  for (const key of taken.keys) {
    const reason = taken.deniesConsent ? 'DENIED_CONSENT' : request.refused.get(key.toLowerCase())?.code;
    if (reason !== undefined) taken.refused[reason] = (taken.refused[reason] ?? 0) + 1;
    else for (const list of taken.lists) change(request, taken.method, `userlist:${list}`, key);
  }
  taken.processed = true;
}

function change(request: SimRequest, method: Method, list: string, key: string): void {
  if (method === 'remove') request.remove(list, key);
  else request.write(list, key, {});
}

function retrieve(request: SimRequest): SimAnswer {
  const { requestId = '' } = request.query;
  const found = request.memory.get(requestId) as Request | undefined;
  if (!found) {
    const description = 'The request ID used to retrieve the status of a request is not valid.';
    return badRequest(request.requestId, [{ field: 'request_id', reason: 'INVALID_REQUEST_ID', description }]);
  }
  return { status: 200, body: { requestStatusPerDestination: found.lists.map((list) => statusOf(found, list)) } };
}

function statusOf(found: Request, productDestinationId: string): object {
  const refused = Object.values(found.refused).reduce((sum, count) => sum + count, 0);
  const over = refused === 0 ? 'SUCCESS' : refused < found.keys.length ? 'PARTIAL_SUCCESS' : 'FAILED';
  const counts = { recordCount: String(found.keys.length), userIdentifierCount: String(found.identifiers) };
  const errorCounts = Object.entries(found.refused).map(([reason, count]) => ({ recordCount: String(count), reason: `PROCESSING_ERROR_REASON_${reason}` }));
  const uploadMatchRateRange = found.keys.length < fewMembers ? 'MATCH_RATE_RANGE_NOT_ELIGIBLE' : 'MATCH_RATE_RANGE_61_TO_70';
  return {
    destination: { productDestinationId },
    requestStatus: found.processed ? over : 'PROCESSING',
    ...(found.processed && refused > 0 ? { errorInfo: { errorCounts } } : {}),
    ...(found.method === 'remove'
      ? { audienceMembersRemovalStatus: { userDataRemovalStatus: counts } }
      : { audienceMembersIngestionStatus: { userDataIngestionStatus: found.processed ? { ...counts, uploadMatchRateRange } : counts } }),
  };
}

const keys: SimRoute['keys'] = ({ body }) => keysIn(body);

/** Google's Data Manager API, simulated: Customer Match lists, requests worked off later, counts instead of rows. */
export const simulated: SimulatedVendor = {
  vendor: 'google-data-manager',
  plans: googleDataManager.plans,
  limits: (plan, quota) => googleDataManager.limits(plan, quota),
  token: (headers) => /^Bearer (\S+)$/.exec(headers['authorization'] ?? '')?.[1] ?? null,
  // Two colons: one that is no parameter.
  routes: [
    { method: 'POST', path: '/v1/audienceMembers::ingest', quota: ingestion, keys, handle: take('ingest') },
    { method: 'POST', path: '/v1/audienceMembers::remove', quota: ingestion, keys, handle: take('remove') },
    { method: 'GET', path: '/v1/requestStatus::retrieve', quota: status, handle: retrieve },
    loginRoute,
  ],
  headers: () => ({}),
  limited: overQuota,
  failure,
};
