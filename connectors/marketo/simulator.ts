import { accepts, tokenFor } from '../simulator/login';
import type { SimAnswer, SimRequest, SimulatedVendor } from '../simulator/types';
import { marketo } from './index';
import { concurrent, daily } from './limits';

/** REST names of a subscription's fields; `config.properties` adds to them, `*` = anything. */
const standard = new Set(
  'email firstName lastName salutation title phone mobilePhone dateOfBirth city country postalCode address leadSource leadScore unsubscribed'.split(' '),
);

interface Lead {
  email?: unknown;
  [field: string]: unknown;
}

const leadsIn = (body: unknown): Lead[] => {
  const input = (body as { input?: unknown } | null)?.input;
  return Array.isArray(input) ? input.filter((lead): lead is Lead => typeof lead === 'object' && lead !== null) : [];
};

const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '');
const addressOf = (lead: Lead): string => text(lead.email).trim().toLowerCase();

/** A whole request that failed, in a 200: "e42b#14272d07d78" is the form of its id. */
const failed = (requestId: string, code: string, message: string, status = 200): SimAnswer => ({
  status,
  body: { requestId: marked(requestId), success: false, errors: [{ code, message }] },
});
const marked = (requestId: string): string => `${requestId.slice(0, 4)}#${requestId.slice(-12, -1)}`;

const said: Readonly<Record<number, readonly [code: string, message: string]>> = {
  401: ['601', 'Access token invalid'],
  403: ['603', 'Access denied'],
  404: ['610', 'Requested resource not found'],
  500: ['611', 'System error'],
  502: ['502', 'Bad Gateway'],
  503: ['608', 'API Temporarily Unavailable'],
  504: ['604', 'Request timed out'],
};

/** Only a body over 1 MB and a gateway's trouble have a status of their own. */
function failure(status: number, requestId: string, detail?: string): SimAnswer {
  if (status === 413) return { status, body: 'Request Entity Too Large' };
  const [code, message] = said[status] ?? ['609', 'Invalid JSON'];
  return failed(requestId, code, detail ?? message, status >= 500 ? status : 200);
}

function upsert(request: SimRequest): SimAnswer {
  const { action, lookupField } = (request.body ?? {}) as { action?: unknown; lookupField?: unknown };
  const leads = leadsIn(request.body);
  if (action !== 'createOrUpdate' || lookupField !== 'email') return failed(request.requestId, '1011', 'Only createOrUpdate by email is simulated');
  if (leads.length === 0) return failed(request.requestId, '701', 'input cannot be blank');
  // The text of this refusal is not documented.
  if (leads.length > 300) return failed(request.requestId, '1003', 'Too many records in input: at most 300');
  const result = leads.map((lead) => {
    const skipped = problem(lead, request);
    if (skipped) return { status: 'skipped', reasons: [skipped] };
    const fields = Object.fromEntries(Object.entries(lead).map(([name, value]) => [name, text(value)]));
    const { record, created } = request.write('leads', addressOf(lead), { ...fields, email: text(lead.email) });
    return { id: Number(record.id), status: created ? 'created' : 'updated' };
  });
  return { status: 200, body: { requestId: marked(request.requestId), success: true, result } };
}

function problem(lead: Lead, request: SimRequest): { code: string; message: string } | undefined {
  const told = request.refused.get(addressOf(lead));
  if (told) return told;
  const { properties } = request.config;
  const unknown = Object.keys(lead).find((name) => !standard.has(name) && !properties.includes('*') && !properties.includes(name));
  if (unknown !== undefined) return { code: '1006', message: `Field '${unknown}' not found` };
  if (!/^[\x21-\x3f\x41-\x7e]+@[\x21-\x3f\x41-\x7e]+\.[a-z]{2,}$/i.test(text(lead.email))) {
    return { code: '1001', message: `Invalid value '${text(lead.email)}'. Required of type 'email'` };
  }
  return undefined;
}

function identity({ query, config }: SimRequest): SimAnswer {
  const { grant_type: grant, client_id: id = '', client_secret: secret = '' } = query;
  if (grant !== 'client_credentials' || id === '' || !accepts(config, secret)) {
    return { status: 401, body: { error: 'invalid_client', error_description: 'Bad client credentials' } };
  }
  const scope = 'apis@example.com';
  return { status: 200, body: { access_token: tokenFor(config, 'sim:', id, secret), token_type: 'bearer', expires_in: 3599, scope } };
}

/** Marketo, simulated: identity and leads, with documented limits and with errors inside 200. */
export const simulated: SimulatedVendor = {
  vendor: 'marketo',
  plans: marketo.plans,
  limits: (plan) => marketo.limits(plan),
  maxBodyBytes: 1024 * 1024,
  token: (headers) => /^Bearer (\S+)$/.exec(headers['authorization'] ?? '')?.[1] ?? null,
  routes: [
    { method: 'GET', path: '/identity/oauth/token', open: true, handle: identity, empty: () => ({ status: 200, body: {} }) },
    {
      method: 'POST',
      path: '/rest/v1/leads.json',
      keys: ({ body }) => leadsIn(body).map(addressOf),
      handle: upsert,
      empty: ({ requestId }) => ({ status: 200, body: { requestId: marked(requestId), success: true, result: [] } }),
    },
  ],
  headers: () => ({}),
  limited: (limit, requestId) => {
    if (limit.name === concurrent) return failed(requestId, '615', `Concurrent access limit '${limit.max}' reached`);
    if (limit.name === daily) return failed(requestId, '607', `Daily quota '${limit.max}' reached`);
    return failed(requestId, '606', `Max rate limit '${limit.max}' exceeded with in '20' secs`);
  },
  failure,
};
