import type { SimAnswer, SimRequest, SimulatedVendor } from '../simulator/types';
import { apiPath, salesforce } from './index';
import { concurrent, daily } from './limits';
import { bulkRoutes } from './simulator-bulk';
import { failure } from './simulator-errors';
import { loginRoute } from './simulator-login';
import { targetProblem, writeRow, type SimTarget } from './simulator-rows';

interface SentRecord {
  attributes?: { type?: unknown };
  [field: string]: unknown;
}

const recordsIn = (body: unknown): SentRecord[] => {
  const records = (body as { records?: unknown } | null)?.records;
  return Array.isArray(records) ? records.filter((record): record is SentRecord => typeof record === 'object' && record !== null) : [];
};

const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '');

/** Always 200 when well formed, an entry per record in the order of the request. `allOrNone: true` is not imitated. */
function upsert(request: SimRequest): SimAnswer {
  const { object = '', field = '' } = request.params;
  const missing = targetProblem(object, field, request);
  if (missing !== undefined) return failure(404, request.requestId, missing);
  const records = recordsIn(request.body);
  if (records.length === 0 || records.some(({ attributes }) => attributes?.type !== object)) {
    return failure(400, request.requestId, 'Every record needs "attributes" with the type named in the path');
  }
  if (records.length > 200) {
    return {
      status: 400,
      body: [{ errorCode: 'EXCEEDED_ID_LIMIT', message: 'record limit reached. cannot submit more than 200 records into this call' }],
    };
  }
  const target: SimTarget = { object, externalIdField: field, refused: request.refused, seen: new Set() };
  const results = records.map(({ attributes: _type, [field]: externalId, ...rest }) => {
    const fields = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, text(value)]));
    const written = writeRow(request, target, { externalId: text(externalId), fields });
    return 'id' in written ? { id: written.id, success: true, errors: [], created: written.created } : { success: false, errors: [written] };
  });
  return { status: 200, body: results };
}

/** Salesforce, simulated: collection upserts and Bulk API 2.0 ingest of contacts, with documented limits, header and errors. */
export const simulated: SimulatedVendor = {
  vendor: 'salesforce',
  plans: salesforce.plans,
  limits: (plan) => salesforce.limits(plan),
  token: (headers) => /^Bearer (\S+)$/.exec(headers['authorization'] ?? '')?.[1] ?? null,
  routes: [
    {
      method: 'PATCH',
      path: `${apiPath}/composite/sobjects/:object/:field`,
      keys: ({ params, body }) => recordsIn(body).map((record) => text(record[params['field'] ?? '']).toLowerCase()),
      handle: upsert,
      empty: () => ({ status: 200, body: [] }),
    },
    ...bulkRoutes,
    loginRoute,
  ],
  headers: (windows): Record<string, string> => {
    const day = windows.find(({ limit }) => limit.name === daily);
    return day ? { 'sforce-limit-info': `api-usage=${day.limit.max - day.remaining}/${day.limit.max}` } : {};
  },
  limited: (limit) => ({
    status: 403,
    body: [
      {
        message: limit.name === concurrent ? 'ConcurrentRequests (Concurrent API Requests) Limit exceeded.' : 'TotalRequests Limit exceeded.',
        errorCode: 'REQUEST_LIMIT_EXCEEDED',
      },
    ],
  }),
  failure,
};
