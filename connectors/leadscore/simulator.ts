import { createHash } from 'node:crypto';
import type { SimAnswer, SimRequest, SimulatedVendor } from '../simulator/types';
import { leadscore } from './index';

const codes: Readonly<Record<number, string>> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  429: 'TOO_MANY_REQUESTS',
};

const failure = (status: number, _requestId: string, detail?: string): SimAnswer => ({
  status,
  body: { code: codes[status] ?? (status >= 500 ? 'UNAVAILABLE' : 'REFUSED'), message: detail ?? `status ${status}` },
});

function customerOf(body: unknown): string {
  const customerId = (body as { customerId?: unknown } | null)?.customerId;
  return typeof customerId === 'string' ? customerId : '';
}

/** The same customer always has the same score. */
function score(request: SimRequest): SimAnswer {
  const customerId = customerOf(request.body);
  if (customerId === '') return failure(400, request.requestId, 'customerId must be a non-empty string');
  return { status: 200, body: { score: createHash('sha256').update(customerId).digest()[0]! % 101 } };
}

/** The scoring service, simulated. */
export const simulated: SimulatedVendor = {
  vendor: 'leadscore',
  plans: leadscore.plans,
  limits: (plan) => leadscore.limits(plan),
  token: (headers) => headers['x-api-key'] || null,
  routes: [
    {
      method: 'POST',
      path: '/v1/score',
      keys: ({ body }) => [customerOf(body)],
      handle: score,
    },
  ],
  headers: (windows, requestId) => {
    const second = windows.find(({ limit }) => limit.name === 'SECOND');
    return { 'x-request-id': requestId, ...(second ? { 'x-ratelimit-remaining': String(second.remaining) } : {}) };
  },
  limited: (limit) => ({ status: 429, body: { code: 'TOO_MANY_REQUESTS', message: 'status 429', limit: limit.name }, headers: { 'retry-after': '1' } }),
  failure,
};
