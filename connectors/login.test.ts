import { countingGate, type CountingGate } from '../test/conformance/counting-gate';
import { VendorError } from './errors';
import { createVendorHttp, type HttpAttempt, type VendorHttp, type VendorHttpOptions } from './http';
import { marketo } from './marketo';
import { simulated } from './marketo/simulator';
import { createSimulator, type Simulator } from './simulator';

const body = { action: 'createOrUpdate', lookupField: 'email', input: [{ email: 'ada@example.com' }] };
const secret = 'client-secret-0123456789';
const identity = 'GET /identity/oauth/token';

let simulator: Simulator;
let url: string;
let gate: CountingGate;
let attempts: HttpAttempt[];
const made: VendorHttp[] = [];

beforeAll(async () => {
  simulator = createSimulator(simulated, { limits: 'unlimited' });
  ({ url } = await simulator.listen());
});
beforeEach(() => {
  simulator.configure({ tokens: null });
  simulator.reset();
  gate = countingGate();
  attempts = [];
});
// The login spends a permit like any request.
afterEach(() => {
  expect([gate.ends.length, gate.open(), gate.endedTwice]).toEqual([simulator.stats().calls, 0, 0]);
  for (const http of made.splice(0)) http.close();
});
afterAll(() => simulator.close());

function vendorHttp(options: Partial<VendorHttpOptions> = {}): VendorHttp {
  const http = createVendorHttp({
    connector: marketo,
    baseUrl: url,
    credentials: () => Promise.resolve({ clientId: 'client', clientSecret: secret }),
    gate,
    onAttempt: (attempt) => attempts.push(attempt),
    ...options,
  });
  made.push(http);
  return http;
}
const by = { scopes: [], lane: 'live', sync: 'test' } as const;
const post = (http: VendorHttp, more: { signal?: AbortSignal } = {}) => http.call({ ...by, ...more }).post('/rest/v1/leads.json', body);
const failing = async (promise: Promise<unknown>): Promise<VendorError> => {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(VendorError);
  return error as VendorError;
};

test('one login, before the first request, for all that wait', async () => {
  const http = vendorHttp();
  await Promise.all(Array.from({ length: 10 }, () => post(http)));
  expect(simulator.stats().byPath).toEqual({ [identity]: 1, 'POST /rest/v1/leads.json': 10 });
  expect(attempts[0]).toMatchObject({ method: 'GET', path: '/identity/oauth/token', code: 'OK', status: 200 });
});

test('a session that expires is renewed once, by whoever notices first', async () => {
  simulator.configure({ tokens: ['first'] });
  const http = vendorHttp();
  await post(http);
  simulator.configure({ tokens: ['second'] });
  const answers = await Promise.all(Array.from({ length: 8 }, () => post(http)));
  expect(answers.every(({ data }) => (data as { success: boolean }).success)).toBe(true);
  expect(simulator.stats().byPath[identity]).toBe(2);
  expect(attempts.filter(({ code }) => code === 'AUTH')).toHaveLength(8);
});

test('the same token again is not tried twice', async () => {
  const http = vendorHttp();
  await post(http);
  simulator.addFault({ kind: 'status', status: 200, body: { success: false, errors: [{ code: '603', message: 'Access denied' }] } });
  expect(await failing(post(http))).toMatchObject({ code: 'AUTH', vendorCode: '603' });
  expect(simulator.stats().byPath).toEqual({ [identity]: 2, 'POST /rest/v1/leads.json': 2 });
});

test('rights that are missing are no reason to log in again, unless with other credentials', async () => {
  let clientSecret = secret;
  const http = vendorHttp({ credentials: () => Promise.resolve({ clientId: 'client', clientSecret }) });
  const forbidden = { kind: 'status', status: 403, body: { success: false, errors: [{ code: '603', message: 'Access denied' }] } } as const;
  await post(http);
  simulator.addFault(forbidden);
  expect(await failing(post(http))).toMatchObject({ code: 'AUTH', status: 403 });
  expect(simulator.stats().byPath).toEqual({ [identity]: 1, 'POST /rest/v1/leads.json': 2 });
  clientSecret = 'one-with-more-rights';
  simulator.addFault(forbidden);
  expect((await post(http)).status).toBe(200);
  expect(simulator.stats().byPath).toEqual({ [identity]: 2, 'POST /rest/v1/leads.json': 4 });
});

test('a wrong secret is AUTH, and nothing of it is told', async () => {
  simulator.addFault({ kind: 'status', status: 401, body: { error: 'invalid_client', error_description: `Bad client credentials ${secret}` } });
  const error = await failing(post(vendorHttp()));
  expect(error).toMatchObject({ code: 'AUTH', status: 401, ambiguous: false });
  expect(JSON.stringify([{ ...error }, error.message, error.stack, attempts])).not.toContain(secret);
});

test.each([
  [{ kind: 'timeoutAfterCommit' } as const, 'UNAVAILABLE'],
  [{ kind: 'reset' } as const, 'UNAVAILABLE'],
  [{ kind: 'serverError' } as const, 'UNAVAILABLE'],
  [{ kind: 'emptyResult' } as const, 'UNKNOWN'],
  [{ kind: 'status', status: 200, body: { access_token: 'two\nlines' } } as const, 'UNKNOWN'],
])('a login that ends with %j fails the request, which has certainly not left; the next one logs in', async (fault, code) => {
  simulator.addFault(fault);
  const http = vendorHttp({ timeoutMs: fault.kind.startsWith('timeout') ? 500 : 10_000 });
  expect(await failing(post(http))).toMatchObject({ code, ambiguous: false, retryable: true });
  expect(simulator.stats().records.writes).toBe(0);
  await post(http);
  expect(simulator.stats().byPath).toEqual({ [identity]: 2, 'POST /rest/v1/leads.json': 1 });
});

test('a login refused for whatever reason is AUTH: no record is at fault', async () => {
  simulator.addFault({ kind: 'status', status: 404 });
  expect(await failing(post(vendorHttp()))).toMatchObject({ code: 'AUTH', status: 404, ambiguous: false, retryable: false });
});

test('a call that gives up leaves the login to the others', async () => {
  simulator.addFault({ kind: 'slow', ms: 300 });
  const http = vendorHttp();
  const abort = new AbortController();
  const first = post(http, { signal: abort.signal });
  const second = post(http);
  setTimeout(() => abort.abort(new Error('worker stops')), 50);
  await expect(first).rejects.toThrow('worker stops');
  expect((await second).status).toBe(200);
  expect(simulator.stats().byPath).toEqual({ [identity]: 1, 'POST /rest/v1/leads.json': 1 });
});
