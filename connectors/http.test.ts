import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { countingGate, type CountingGate } from '../test/conformance/counting-gate';
import type { Connector } from './connector';
import { VendorError } from './errors';
import { createVendorHttp, type HttpAttempt, type VendorHttp, type VendorHttpOptions } from './http';
import { hubspot } from './hubspot';
import { simulated } from './hubspot/simulator';
import type { Permit } from './permit';
import { createSimulator, type Simulator } from './simulator';

const scopes = [{ vendor: 'hubspot', scope: 'main' }];
const path = '/crm/v3/objects/contacts/batch/upsert';
const body = { inputs: [{ id: 'ada@example.com', idProperty: 'email', properties: { firstname: 'Ada' } }] };

let simulator: Simulator;
let url: string;
let gate: CountingGate;
let attempts: HttpAttempt[];
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  simulator = createSimulator(simulated);
  ({ url } = await simulator.listen());
});
beforeEach(() => {
  simulator.configure({ limits: 'unlimited', tokens: null });
  simulator.reset();
  gate = countingGate();
  attempts = [];
});
afterEach(async () => {
  expect(gate.endedTwice).toBe(0);
  for (const close of closers.splice(0)) await close();
});
afterAll(() => simulator.close());

function vendorHttp(options: Partial<VendorHttpOptions> = {}): VendorHttp {
  const made = createVendorHttp({
    connector: hubspot,
    baseUrl: url,
    credentials: () => Promise.resolve({ token: 'sandbox-token' }),
    gate,
    onAttempt: (attempt) => attempts.push(attempt),
    ...options,
  });
  closers.push(() => made.close());
  return made;
}

const call = (options: Partial<VendorHttpOptions> = {}, by: { permit?: Permit; signal?: AbortSignal } = {}) =>
  vendorHttp(options).call({ scopes, lane: 'live', sync: 'test', ...by });

async function failure(promise: Promise<unknown>): Promise<VendorError> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(VendorError);
  return error as VendorError;
}

/** A server that answers each request with `handle`. */
async function server(handle: http.RequestListener): Promise<{ url: string; connections: () => number; requests: () => number }> {
  let connections = 0;
  let requests = 0;
  const made = http.createServer((request, response) => {
    requests += 1;
    handle(request, response);
  });
  made.on('connection', () => (connections += 1));
  await new Promise<void>((listening) => made.listen(0, '127.0.0.1', listening));
  closers.push(() => {
    made.closeAllConnections();
    made.close();
  });
  return { url: `http://127.0.0.1:${(made.address() as AddressInfo).port}`, connections: () => connections, requests: () => requests };
}

describe('permits', () => {
  test('no request leaves without one: permits spent are the requests the vendor saw, whatever became of them', async () => {
    simulator.addFault({ kind: 'serverError', match: { probability: 0.2, seed: 3 } });
    simulator.addFault({ kind: 'reset', match: { probability: 0.2, seed: 4 } });
    simulator.addFault({ kind: 'rateLimit', match: { probability: 0.2, seed: 5 } });
    simulator.addFault({ kind: 'timeoutAfterCommit', match: { nth: [7, 11] } });
    const made = vendorHttp({ timeoutMs: 3_000 });
    await Promise.allSettled(Array.from({ length: 100 }, () => made.call({ scopes, lane: 'backfill', sync: 'a-sync' }).post(path, body)));
    const { calls, byStatus } = simulator.stats();
    expect(calls).toBe(100);
    expect(Object.keys(byStatus).sort()).toEqual(['200', '429', '503', 'none']);
    expect([gate.acquired, gate.ends.length, gate.open(), attempts.length]).toEqual([100, 100, 0, 100]);
    expect(gate.requests[0]).toMatchObject({ scopes, lane: 'backfill', sync: 'a-sync' });
  });

  test('a gate that says no keeps the request here', async () => {
    const shut = { ...gate, acquire: () => Promise.reject(new Error('shut')) };
    await expect(call({ gate: shut }).get('/x')).rejects.toThrow('shut');
    expect(simulator.stats().calls).toBe(0);
  });

  test('the permit given is spent first, then the gate is asked', async () => {
    const permit = gate.tryAcquire({ scopes, lane: 'live', sync: 'test' })!;
    const asked = gate.acquired;
    const made = call({}, { permit });
    await made.post(path, body);
    expect(gate.acquired).toBe(asked);
    await made.post(path, body);
    expect(gate.acquired).toBe(asked + 1);
    made.release();
    expect([gate.ends.length, gate.givenBack]).toEqual([2, 0]);
  });

  test('a permit nothing was sent with is given back, once', async () => {
    const permit = gate.tryAcquire({ scopes, lane: 'live', sync: 'test' })!;
    const made = call({}, { permit });
    made.release();
    made.release();
    expect([gate.givenBack, gate.ends.length]).toEqual([1, 0]);
    await made.post(path, body);
    expect([gate.acquired, gate.ends.length]).toEqual([2, 1]);
  });

  test('a request that counts by another quota spends a permit from there; the one given stays for those it is good for', async () => {
    const permit = gate.tryAcquire({ scopes, lane: 'live', sync: 'test' })!;
    const scopesOf = (quota: string) => [{ vendor: 'hubspot', scope: `main.${quota}` }];
    const made = call({ scopesOf }, { permit });
    const asked = gate.requests.length;
    await made.request({ method: 'POST', path, body, quota: 'lists' });
    expect(gate.requests.slice(asked).map((request) => request.scopes)).toEqual([scopesOf('lists')]);
    await made.post(path, body);
    expect(gate.requests).toHaveLength(asked + 1);
    await made.request({ method: 'POST', path, body, quota: 'lists' });
    expect(gate.requests).toHaveLength(asked + 2);
    expect([gate.ends.length, gate.givenBack, gate.open()]).toEqual([3, 0, 0]);
  });

  test('headers of the answer reach the permit', async () => {
    simulator.configure({ limits: 'declared' });
    await call().post(path, body);
    expect(hubspot.limitReadings({ headers: gate.ends[0]!.headers })).toContainEqual({
      limit: 'TEN_SECONDLY_ROLLING',
      max: 100,
      remaining: 99,
    });
  });
});

describe('credentials', () => {
  test('are read again on a 401, once, and kept otherwise', async () => {
    let reads = 0;
    const tokens = ['old', 'new'];
    const made = vendorHttp({ credentials: () => Promise.resolve({ token: tokens[Math.min(reads++, 1)]! }) });
    const on = made.call({ scopes, lane: 'live', sync: 'test' });
    await on.post(path, body);
    await on.post(path, body);
    expect(reads).toBe(1);
    simulator.configure({ tokens: ['new'] });
    expect((await on.post(path, body)).status).toBe(200);
    await on.post(path, body);
    expect(reads).toBe(2);
    expect(simulator.stats().byStatus).toEqual({ 200: 4, 401: 1 });
    expect([gate.acquired, gate.ends.length]).toEqual([5, 5]);
  });

  test('a token that did not change is not tried twice', async () => {
    simulator.configure({ tokens: ['another'] });
    expect((await failure(call().post(path, body))).code).toBe('AUTH');
    expect(simulator.stats().calls).toBe(1);
  });

  test('a new token that is refused too ends as AUTH after two requests', async () => {
    let reads = 0;
    simulator.configure({ tokens: ['another'] });
    const error = await failure(call({ credentials: () => Promise.resolve({ token: `token-${reads++}` }) }).post(path, body));
    expect([error.code, simulator.stats().calls, gate.ends.length]).toEqual(['AUTH', 2, 2]);
  });

  test.each([200, 400, 403])('an expired token said with a %p has them read again too', async (status) => {
    let reads = 0;
    const picky = await server((request, response) => {
      const old = request.headers.authorization === 'Bearer old';
      response.writeHead(old ? status : 200).end(JSON.stringify(old ? { code: '602' } : {}));
    });
    const expired = (): VendorError => new VendorError({ code: 'AUTH', status, message: 'expired' });
    const failureIn: Connector['failureIn'] = ({ data }) => ((data as { code?: string }).code === '602' ? expired() : null);
    const credentials = () => Promise.resolve({ token: reads++ === 0 ? 'old' : 'new' });
    const connector = { ...hubspot, failureIn, errorFrom: expired };
    expect((await call({ baseUrl: picky.url, connector, credentials }).get('/x')).status).toBe(200);
    expect([reads, gate.ends.length, attempts.map(({ code }) => code)]).toEqual([2, 2, ['AUTH', 'OK']]);
  });

  test.each([400, 403, 422])('another refusal, by %p, does not', async (status) => {
    let reads = 0;
    const picky = await server((_request, response) => response.writeHead(status).end('{}'));
    const errorFrom = (): VendorError => new VendorError({ code: 'INVALID', status, message: 'no' });
    const credentials = () => Promise.resolve({ token: `token-${reads++}` });
    expect((await failure(call({ baseUrl: picky.url, connector: { ...hubspot, errorFrom }, credentials }).get('/x'))).code).toBe('INVALID');
    expect([reads, picky.requests()]).toEqual([1, 1]);
  });

  test('that cannot be read, or not be sent, cost no permit and no request', async () => {
    const unreadable = await failure(call({ credentials: () => Promise.reject(new Error('SYNCLINE_HUBSPOT_MAIN_TOKEN is not set')) }).get('/x'));
    expect(unreadable).toMatchObject({
      code: 'UNAVAILABLE',
      ambiguous: false,
      status: null,
      message: expect.stringContaining('SYNCLINE_HUBSPOT_MAIN_TOKEN') as string,
    });
    const unsendable = await failure(call({ credentials: () => Promise.resolve({ token: 'two\nlines' }) }).get('/x'));
    expect(unsendable).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('authorization') as string });
    expect(unsendable.message).not.toContain('two');
    expect([gate.ends.length, gate.open(), simulator.stats().calls]).toEqual([0, 0, 0]);
  });
});

describe('giving up', () => {
  test('before the request left: the signal’s reason, the permit given back', async () => {
    const abort = new AbortController();
    const waiting: Promise<Permit> = new Promise((resolve) => setImmediate(() => resolve(countedPermit)));
    const countedPermit = gate.tryAcquire({ scopes, lane: 'live', sync: 'test' })!;
    const slow = { ...gate, acquire: () => waiting };
    const asked = call({ gate: slow }, { signal: abort.signal }).get('/x');
    abort.abort(new Error('worker stops'));
    await expect(asked).rejects.toThrow('worker stops');
    expect([gate.givenBack, simulator.stats().calls]).toEqual([1, 0]);
    await expect(call({}, { signal: abort.signal }).get('/x')).rejects.toThrow('worker stops');
  });

  test('after it left: ambiguous, and not the vendor’s fault', async () => {
    simulator.addFault({ kind: 'timeoutAfterCommit' });
    const abort = new AbortController();
    const asked = call({}, { signal: abort.signal }).post(path, body);
    const seen = setInterval(() => simulator.stats().records.writes === 1 && abort.abort(new Error('stop')), 5);
    const error = await failure(asked);
    clearInterval(seen);
    expect(error).toMatchObject({ code: 'UNAVAILABLE', ambiguous: true, connection: false });
    expect(gate.ends).toHaveLength(1);
  });

  test('a deadline covers the whole answer, not only the first byte', async () => {
    const drip = await server((_request, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write(' '), 50);
      response.on('close', () => clearInterval(timer));
    });
    const started = performance.now();
    const error = await failure(call({ baseUrl: drip.url, timeoutMs: 300 }).get('/x'));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', ambiguous: true, connection: true });
    expect(error.message).toContain('300 ms');
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

describe('the wire', () => {
  test('connections are kept alive', async () => {
    const counted = await server((_request, response) => response.end('{}'));
    const on = call({ baseUrl: counted.url });
    for (let n = 0; n < 5; n += 1) await on.get('/x');
    expect([counted.connections(), counted.requests()]).toEqual([1, 5]);
  });

  test('redirects are not followed, with or without the token', async () => {
    const target = await server((_request, response) => response.end('{}'));
    const origin = await server((_request, response) => response.writeHead(307, { location: `${target.url}/y` }).end());
    expect((await failure(call({ baseUrl: origin.url }).post('/x', {}))).status).toBe(307);
    expect(target.requests()).toBe(0);
  });

  test('a path cannot lead to another host', async () => {
    for (const bad of ['.evil.example/x', '@evil.example/x', ':1/x']) {
      expect((await failure(call().get(bad))).message).toMatch(/does not belong/);
    }
    expect([gate.ends.length, gate.open()]).toEqual([0, 0]);
  });

  test('a failed TLS handshake proves that nothing left', async () => {
    const plain = await server((_request, response) => response.end('{}'));
    const error = await failure(call({ baseUrl: plain.url.replace('http:', 'https:') }).get('/x'));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', ambiguous: false, connection: true });
    expect(plain.requests()).toBe(0);
  });

  test('an answer cut short is ambiguous', async () => {
    const cut = await server((_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"results"');
      setImmediate(() => response.destroy());
    });
    expect(await failure(call({ baseUrl: cut.url }).get('/x'))).toMatchObject({ code: 'UNAVAILABLE', ambiguous: true, connection: true });
  });

  test('something that is not HTTP is ambiguous too', async () => {
    const odd = net.createServer((socket) => socket.once('data', () => socket.end('SSH-2.0-x\r\n')));
    await new Promise<void>((listening) => odd.listen(0, '127.0.0.1', listening));
    closers.push(() => odd.close());
    const error = await failure(call({ baseUrl: `http://127.0.0.1:${(odd.address() as AddressInfo).port}` }).get('/x'));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', ambiguous: true, connection: true });
  });

  test('an answer larger than the bound is not read', async () => {
    const large = await server((_request, response) => response.end(JSON.stringify('x'.repeat(100_000))));
    const error = await failure(call({ baseUrl: large.url, maxAnswerBytes: 10_000 }).get('/x'));
    expect(error).toMatchObject({ code: 'UNKNOWN', ambiguous: true, connection: false });
  });

  test('an empty 2xx is null', async () => {
    const empty = await server((_request, response) => response.writeHead(204).end());
    expect((await call({ baseUrl: empty.url }).request({ method: 'DELETE', path: '/x' })).data).toBeNull();
  });

  test('a body and an answer may be text; a refusal of it is read as JSON all the same', async () => {
    const seen: string[] = [];
    const echo = await server((request, response) => {
      let said = '';
      request.on('data', (part: Buffer) => (said += part.toString()));
      request.on('end', () => {
        seen.push(`${request.headers['content-type']} ${said}`);
        response.writeHead(request.url === '/bad' ? 400 : 200).end(request.url === '/bad' ? '{"category":"NO"}' : said);
      });
    });
    const send = (path: string) =>
      call({ baseUrl: echo.url }).request({ method: 'PUT', path, text: { content: 'a,b\n1,Köln\n', type: 'text/csv' }, answer: 'text' });
    expect((await send('/x')).data).toBe('a,b\n1,Köln\n');
    expect(seen).toEqual(['text/csv a,b\n1,Köln\n']);
    expect((await failure(send('/bad'))).vendorSaid).toEqual({ category: 'NO' });
  });

  test('a base address may have a path; query values are escaped', async () => {
    let seen = '';
    const echo = await server((request, response) => {
      seen = request.url ?? '';
      response.end('{}');
    });
    await call({ baseUrl: `${echo.url}/proxy/` }).get('/v1/x', { q: 'a&b=c d' });
    expect(seen).toBe('/proxy/v1/x?q=a%26b%3Dc+d');
  });
});

describe('what is told', () => {
  test('attempts carry no query, and no address in the path', async () => {
    await failure(call().get('/crm/v3/objects/contacts/ada%40example.com', { idProperty: 'email', secret: 'hunter2' }));
    expect(attempts).toEqual([
      {
        vendor: 'hubspot',
        method: 'GET',
        path: '/crm/v3/objects/contacts/***',
        sync: 'test',
        lane: 'live',
        status: 404,
        code: 'NOT_FOUND',
        tookMs: expect.any(Number) as number,
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
        ambiguous: false,
      },
    ]);
  });

  test('network errors carry neither token, query, nor address', async () => {
    simulator.addFault({ kind: 'reset' });
    const error = await failure(call().get('/crm/v3/objects/contacts/ada%40example.com', { secret: 'hunter2' }));
    const told = JSON.stringify([{ ...error }, error.message, error.stack, error.cause]);
    for (const hidden of ['sandbox-token', 'hunter2', 'ada@', 'ada%40']) expect(told).not.toContain(hidden);
    expect(error.message).toBe('hubspot closed the connection (ECONNRESET), GET /crm/v3/objects/contacts/***; the request may have taken effect');
  });

  test('what a vendor says of a secret is told without it, however it is spelt', async () => {
    const token = '1//0secret+of/ours';
    const spelt = [token, JSON.stringify(token), token.replaceAll('/', String.raw`\/`), encodeURIComponent(token)];
    const echo = await server((_request, response) => response.writeHead(400).end(`{"message":"${spelt.map((one) => one.replaceAll('"', '')).join(' ')}"}`));
    const error = await failure(call({ baseUrl: echo.url, credentials: () => Promise.resolve({ token }) }).get('/x'));
    expect(error.vendorSaid).toEqual({ message: '*** *** *** ***' });
  });

  test('a connector that cannot read a refusal yields UNKNOWN', async () => {
    simulator.addFault({ kind: 'status', status: 400 });
    const broken: Connector = {
      ...hubspot,
      errorFrom: () => {
        throw new TypeError('x of undefined');
      },
    };
    expect(await failure(call({ connector: broken }).post(path, body))).toMatchObject({ code: 'UNKNOWN', status: 400 });
  });
});
