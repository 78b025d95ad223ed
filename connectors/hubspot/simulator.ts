import type { Limit } from '../connector';
import type { SimAnswer, SimRequest, SimRoute, SimulatedVendor } from '../simulator/types';
import type { SimRecord } from '../simulator/records';
import { hubspot } from './index';
import { burst, daily } from './limits';
import { invalidProperties, textOf, validEmail } from './simulator-properties';

const maxInputs = 100;
const contacts = 'contacts';

interface Input {
  id?: unknown;
  idProperty?: unknown;
  objectWriteTraceId?: unknown;
  properties?: unknown;
}

/** Bodies as documented at developers.hubspot.com/docs/api-reference/error-handling and as recorded in the wild. */
function failure(status: number, requestId: string, detail?: string): SimAnswer {
  const body = (category: string, message: string): SimAnswer => ({
    status,
    body: { status: 'error', message, correlationId: requestId, category },
  });
  switch (status) {
    case 401:
      return body(
        'INVALID_AUTHENTICATION',
        'Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview',
      );
    case 403:
      return body(
        'MISSING_SCOPES',
        "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: https://developers.hubspot.com/scopes.",
      );
    case 404:
      return body('OBJECT_NOT_FOUND', detail ?? 'resource not found');
    case 409:
      return body('CONFLICT', detail ?? 'Contact already exists. Existing ID: 101');
    case 413:
      return body('VALIDATION_ERROR', 'Request entity too large');
    case 423:
      return body('LOCKED', 'The resource is locked; wait at least 2 seconds');
    case 429:
      return { status, body: limitedBody(burst, requestId) };
    case 477:
      return { ...body('MIGRATION_IN_PROGRESS', 'The account is being migrated'), headers: { 'retry-after': '60' } };
    default:
      if (status >= 500) return body('INTERNAL_ERROR', 'internal error');
      return body('VALIDATION_ERROR', detail ?? 'Invalid input JSON');
  }
}

function limitedBody(policyName: string, requestId: string): unknown {
  const span = policyName === daily ? 'daily' : 'ten_secondly_rolling';
  return {
    status: 'error',
    message: `You have reached your ${span} limit.`,
    errorType: 'RATE_LIMIT',
    correlationId: requestId,
    policyName,
    requestId,
  };
}

/** The inputs of a batch call, or why there are none. */
function inputsOf(request: SimRequest): Input[] | SimAnswer {
  const inputs = (request.body as { inputs?: unknown } | null)?.inputs;
  if (!Array.isArray(inputs) || inputs.length === 0) return failure(400, request.requestId, 'Invalid input JSON: "inputs" must be a non-empty list');
  if (inputs.length > maxInputs) {
    return failure(
      400,
      request.requestId,
      `The maximum number of inputs supported in a batch request is ${maxInputs}. Please reduce the number of items and try again`,
    );
  }
  return inputs as Input[];
}

const idOf = (input: Input): string => (typeof input.id === 'string' || typeof input.id === 'number' ? String(input.id).trim() : '');

function keysOf(body: unknown): string[] {
  const inputs = (body as { inputs?: unknown } | null)?.inputs;
  return Array.isArray(inputs) ? (inputs as Input[]).map((input) => idOf(input ?? {}).toLowerCase()) : [];
}

/** What is wrong with one input, as HubSpot's message and category; undefined = nothing. */
function fault(input: Input, request: SimRequest): { message: string; category: string } | undefined {
  const email = idOf(input).toLowerCase();
  const told = request.refused.get(email);
  if (told) return notValid([{ isValid: false, message: told.message, error: told.code, name: 'email' }]);
  if (!validEmail(email)) return notValid([{ isValid: false, message: `Email address ${idOf(input)} is invalid`, error: 'INVALID_EMAIL', name: 'email' }]);
  if (typeof input.properties !== 'object' || input.properties === null)
    return { category: 'VALIDATION_ERROR', message: 'Invalid input JSON: "properties" is required' };
  const invalid = invalidProperties(input.properties as Record<string, unknown>, request.config.properties);
  return invalid.length === 0 ? undefined : notValid(invalid);
}

function notValid(list: unknown[]): { message: string; category: string } {
  return { category: 'VALIDATION_ERROR', message: `Property values were not valid: ${JSON.stringify(list)}` };
}

/**
 * Observed against a live account (third party, 2026): with a trace id of its own on every input, good records are written and
 * bad ones listed (207); without, one bad record refuses the whole call. Duplicate ids refuse the call either way. Results
 * come back in no promised order, e-mail addresses in lower case.
 */
function upsert(request: SimRequest): SimAnswer {
  const inputs = inputsOf(request);
  if (!Array.isArray(inputs)) return inputs;
  if (inputs.some((input) => input.idProperty !== 'email')) {
    return failure(400, request.requestId, 'Unable to perform update/upsert by non-unique 0-1 property');
  }
  const keys = inputs.map((input) => idOf(input).toLowerCase());
  const twice = [...new Set(keys.filter((key, index) => keys.indexOf(key) !== index))];
  if (twice.length > 0) {
    const refusal = failure(400, request.requestId, `Duplicate IDs found in batch input: [${twice.join(', ')}]. IDs must be unique`);
    return { ...refusal, body: { ...(refusal.body as object), context: { ids: twice } } };
  }

  const startedAt = new Date(request.now).toISOString();
  const traceIds = inputs.map((input) => input.objectWriteTraceId);
  const traced = traceIds.every((id) => typeof id === 'string' && id !== '') && new Set(traceIds).size === traceIds.length;
  const faults = inputs.map((input) => fault(input, request));
  const first = faults.find((found) => found !== undefined);
  if (first && !traced) return failure(400, request.requestId, first.message);

  const errors: unknown[] = [];
  const results: unknown[] = [];
  inputs.forEach((input, index) => {
    const found = faults[index];
    if (found) {
      errors.push({ status: 'error', ...found, context: { objectWriteTraceId: [input.objectWriteTraceId] } });
      return;
    }
    const properties = Object.fromEntries(Object.entries(input.properties as object).map(([name, value]) => [name, textOf(value)]));
    const written = request.write(contacts, keys[index]!, { ...properties, email: keys[index]! });
    results.push({
      ...view(written.record, Object.keys(properties)),
      new: written.created,
      ...(traced ? { objectWriteTraceId: input.objectWriteTraceId } : {}),
    });
  });
  results.reverse();
  const body = { status: 'COMPLETE', results, startedAt, completedAt: new Date().toISOString() };
  return errors.length === 0 ? { status: 200, body } : { status: 207, body: { ...body, numErrors: errors.length, errors } };
}

/** A record as HubSpot shows it: always with id and dates, else only the properties asked for. */
function view(record: SimRecord, names: readonly string[]): Record<string, unknown> {
  const shown = Object.fromEntries([...new Set(['email', ...names])].map((name) => [name, record.properties[name] || null]));
  return {
    id: record.id,
    properties: { ...shown, createdate: record.createdAt, lastmodifieddate: record.updatedAt, hs_object_id: record.id },
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
    archived: false,
  };
}

function read(request: SimRequest): SimAnswer {
  const inputs = inputsOf(request);
  if (!Array.isArray(inputs)) return inputs;
  const { idProperty, properties } = request.body as { idProperty?: unknown; properties?: unknown };
  const names = Array.isArray(properties) ? properties.map(String) : [];
  const results: unknown[] = [];
  const missing: string[] = [];
  for (const input of inputs) {
    const id = idOf(input);
    const record = idProperty === 'email' ? request.find(contacts, id.toLowerCase()) : request.findById(contacts, id);
    if (record) results.push(view(record, names));
    else missing.push(id);
  }
  const body = { status: 'COMPLETE', results, startedAt: new Date(request.now).toISOString(), completedAt: new Date().toISOString() };
  if (missing.length === 0) return { status: 200, body };
  const error = {
    status: 'error',
    category: 'OBJECT_NOT_FOUND',
    message: 'Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid.',
    context: { ids: missing },
  };
  return { status: 207, body: { ...body, numErrors: 1, errors: [error] } };
}

/** 204 for all, whether they were there or not; one that can't be put away refuses the call without being named. */
function archive(request: SimRequest): SimAnswer {
  const inputs = inputsOf(request);
  if (!Array.isArray(inputs)) return inputs;
  const ids = inputs.map(idOf);
  const told = ids.map((id) => request.refused.get(request.findById(contacts, id)?.key ?? '')).find((found) => found !== undefined);
  if (told) return failure(400, request.requestId, told.message);
  for (const id of ids) request.remove(contacts, request.findById(contacts, id)?.key ?? '');
  return { status: 204 };
}

function readOne(request: SimRequest): SimAnswer {
  const id = request.params['id'] ?? '';
  const record = request.query['idProperty'] === 'email' ? request.find(contacts, id.toLowerCase()) : request.findById(contacts, id);
  if (!record) return failure(404, request.requestId);
  return { status: 200, body: view(record, (request.query['properties'] ?? 'firstname,lastname').split(',')) };
}

const empty: NonNullable<SimRoute['empty']> = (request) => ({
  status: 200,
  body: {
    status: 'COMPLETE',
    results: [],
    errors: [],
    startedAt: new Date(request.now).toISOString(),
    completedAt: new Date().toISOString(),
  },
});

/** HubSpot, simulated: contacts by batch/upsert, batch/read and GET, with documented limits, headers and error bodies. */
export const simulated: SimulatedVendor = {
  vendor: 'hubspot',
  plans: hubspot.plans,
  limits: (plan) => hubspot.limits(plan),
  token: (headers) => /^Bearer (\S+)$/.exec(headers['authorization'] ?? '')?.[1] ?? null,
  routes: [
    { method: 'POST', path: '/crm/v3/objects/contacts/batch/upsert', keys: ({ body }) => keysOf(body), handle: upsert, empty },
    { method: 'POST', path: '/crm/v3/objects/contacts/batch/read', keys: ({ body }) => keysOf(body), handle: read, empty },
    { method: 'POST', path: '/crm/v3/objects/contacts/batch/archive', handle: archive },
    { method: 'GET', path: '/crm/v3/objects/contacts/:id', keys: ({ params }) => [params['id'] ?? ''], handle: readOne },
  ],
  headers(windows, requestId) {
    const headers: Record<string, string> = { 'x-hubspot-correlation-id': requestId };
    for (const { limit, remaining } of windows) Object.assign(headers, headersOf(limit, remaining));
    return headers;
  },
  limited: (limit, requestId) => ({ status: 429, body: limitedBody(limit.name, requestId) }),
  failure,
};

function headersOf(limit: Limit, remaining: number): Record<string, string> {
  const [max, left] = [String(limit.max), String(remaining)];
  if (limit.name === daily) return { 'x-hubspot-ratelimit-daily': max, 'x-hubspot-ratelimit-daily-remaining': left };
  const ms = limit.kind === 'concurrent' ? '' : String(limit.ms);
  return { 'x-hubspot-ratelimit-max': max, 'x-hubspot-ratelimit-remaining': left, 'x-hubspot-ratelimit-interval-milliseconds': ms };
}
