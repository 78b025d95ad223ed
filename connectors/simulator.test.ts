import type { Limit } from './connector';
import { simulated as hubspot } from './hubspot/simulator';
import { simulated as leadscore } from './leadscore/simulator';
import { createSimulator, type Simulator } from './simulator';
import type { FaultInput } from './simulator/faults';
import { Faults } from './simulator/faults';
import { Limiter } from './simulator/limiter';

const path = '/crm/v3/objects/contacts/batch/upsert';
const input = (email: string, properties: Record<string, unknown> = { firstname: 'Ada' }, n = 1) => ({
  id: email,
  idProperty: 'email',
  objectWriteTraceId: String(n),
  properties,
});

let simulator: Simulator;
let url: string;

beforeAll(async () => {
  simulator = createSimulator(hubspot);
  ({ url } = await simulator.listen());
});
beforeEach(() => {
  simulator.configure({ limits: 'unlimited', windowScale: 1, latencyMs: 0, tokens: null, properties: [], retryAfter: 'none' });
  simulator.reset();
});
afterAll(() => simulator.close());

async function post(emails: string[], options: { token?: string; timeoutMs?: number } = {}) {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${options.token ?? 'one'}`, 'content-type': 'application/json' },
    body: JSON.stringify({ inputs: emails.map((email, n) => input(email, undefined, n)) }),
    signal: AbortSignal.timeout(options.timeoutMs ?? 5_000),
  });
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}
const admin = async (method: string, what: string, body?: unknown) => {
  const response = await fetch(`${url}/_sim/${what}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
};

describe('limiter', () => {
  const rolling: Limit = { name: 'R', kind: 'rolling', ms: 10_000, max: 3 };

  test('rolling: never more than max in any window, by arrival time', () => {
    const limiter = new Limiter([rolling], true);
    const arrivals = [0, 4_000, 9_999, 9_999.5, 10_000, 13_999, 14_000, 19_999, 20_000];
    expect(arrivals.map((at) => limiter.arrive(at)?.name ?? 'in')).toEqual(['in', 'in', 'in', 'R', 'in', 'R', 'in', 'in', 'in']);
    expect(limiter.stats()[0]).toMatchObject({ maxAccepted: 3, maxArrived: 5, refused: 2, max: 3 });
  });

  test('fixed: a new span at each clock-aligned edge', () => {
    const limiter = new Limiter([{ ...rolling, kind: 'fixed' }], true);
    expect([9_997, 9_998, 9_999, 9_999.9, 10_000].map((at) => limiter.arrive(at)?.name ?? 'in')).toEqual(['in', 'in', 'in', 'R', 'in']);
  });

  test('concurrent: until somebody leaves', () => {
    const limiter = new Limiter([{ name: 'C', kind: 'concurrent', max: 1 }], true);
    expect(limiter.arrive(0)).toBeNull();
    expect(limiter.arrive(1)?.name).toBe('C');
    limiter.leave();
    expect(limiter.arrive(2)).toBeNull();
  });

  test('a refused call uses nothing up; one limit’s refusal spends nothing of another', () => {
    const limiter = new Limiter([rolling, { name: 'D', kind: 'fixed', ms: 86_400_000, max: 2 }], true);
    expect([0, 1, 2, 3].map((at) => limiter.arrive(at)?.name ?? 'in')).toEqual(['in', 'in', 'D', 'D']);
    expect(limiter.remaining(4).map(({ remaining }) => remaining)).toEqual([1, 0]);
  });

  test('not enforced: counts all the same', () => {
    const limiter = new Limiter([rolling], false);
    for (let at = 0; at < 10; at += 1) expect(limiter.arrive(at)).toBeNull();
    expect(limiter.stats()[0]).toMatchObject({ max: null, maxAccepted: 10, refused: 0 });
  });

  test('memory stays bounded over a long run', () => {
    const limiter = new Limiter([{ ...rolling, max: 100 }], true);
    for (let at = 0; at < 2_000_000; at += 10) limiter.arrive(at);
    expect(JSON.stringify(limiter).length).toBeLessThan(200_000);
  });
});

describe('limits over HTTP', () => {
  test('declared ones are in force by default; tokens have their own window', async () => {
    simulator.configure({ limits: 'declared', plan: 'free' });
    const statuses = async (token: string, calls: number) =>
      (await Promise.all(Array.from({ length: calls }, () => post(['a@b.co'], { token })))).map(({ status }) => status);
    expect((await statuses('one', 101)).filter((status) => status === 429)).toHaveLength(1);
    expect((await statuses('two', 100)).filter((status) => status === 429)).toHaveLength(0);
    const stats = simulator.stats();
    expect(stats.overLimit).toEqual({ TEN_SECONDLY_ROLLING: 1 });
    expect(Object.values(stats.windows).map(([burst]) => burst!.maxAccepted)).toEqual([100, 100]);
    expect(Object.values(stats.perToken)).toEqual([
      { calls: 101, overLimit: 1 },
      { calls: 100, overLimit: 0 },
    ]);
  });

  test('a scaled window opens again', async () => {
    simulator.configure({ limits: { TEN_SECONDLY_ROLLING: { max: 1 } }, windowScale: 0.1 });
    expect([(await post(['a@b.co'])).status, (await post(['a@b.co'])).status]).toEqual([200, 429]);
    let status = 429;
    for (const end = Date.now() + 5_000; status === 429 && Date.now() < end;) ({ status } = await post(['a@b.co']));
    expect(status).toBe(200);
    expect(Object.values(simulator.stats().windows)[0]![0]).toMatchObject({ ms: 1_000, max: 1, maxAccepted: 1 });
  });

  test('bodies and headers of both limits are HubSpot’s', async () => {
    simulator.configure({ limits: { DAILY: { max: 1 } } });
    const first = await post(['a@b.co']);
    const second = await post(['a@b.co']);
    expect(first.headers.get('x-hubspot-ratelimit-daily-remaining')).toBe('0');
    expect(first.headers.get('x-hubspot-ratelimit-interval-milliseconds')).toBe('10000');
    expect(second.body).toMatchObject({
      status: 'error',
      message: 'You have reached your daily limit.',
      errorType: 'RATE_LIMIT',
      policyName: 'DAILY',
    });
    expect(second.headers.get('retry-after')).toBeNull();
    expect(second.headers.get('x-hubspot-correlation-id')).toBe(second.body['correlationId']);
    simulator.configure({ retryAfter: 'seconds' });
    expect((await post(['a@b.co'])).headers.get('retry-after')).toMatch(/^\d+$/);
    simulator.configure({ retryAfter: 'date' });
    expect((await post(['a@b.co'])).headers.get('retry-after')).toMatch(/GMT$/);
  });

  test('concurrency is enforced too, and freed by a caller who hangs up', async () => {
    const scoring = createSimulator(leadscore, { limits: { CONCURRENT: { max: 1 } } });
    const at = await scoring.listen();
    const ask = (timeoutMs: number) =>
      fetch(`${at.url}/v1/score`, {
        method: 'POST',
        headers: { 'x-api-key': 'k', 'content-type': 'application/json' },
        body: '{"customerId":"c"}',
        signal: AbortSignal.timeout(timeoutMs),
      });
    scoring.addFault({ kind: 'timeoutBeforeCommit' });
    const held = ask(500).catch(() => undefined);
    while (scoring.stats().faults['timeoutBeforeCommit'] === undefined) await new Promise(setImmediate);
    expect((await ask(5_000)).status).toBe(429);
    await held;
    let status = 429;
    for (let n = 0; status === 429 && n < 200; n += 1) ({ status } = await ask(5_000));
    expect(status).toBe(200);
    await scoring.close();
  });
});

describe('faults', () => {
  const subject = { method: 'POST', path, keys: ['a@b.co'] };
  const strikes = (rules: FaultInput[], calls: number) => {
    const faults = new Faults();
    for (const rule of rules) faults.add(rule);
    return Array.from({ length: calls }, () => faults.strike(subject)?.kind ?? '-').join(' ');
  };

  test('strike once unless told otherwise', () => {
    expect(strikes([{ kind: 'reset' }], 3)).toBe('reset - -');
    expect(strikes([{ kind: 'reset', times: 2 }], 3)).toBe('reset reset -');
    expect(strikes([{ kind: 'reset', times: 'forever' }], 3)).toBe('reset reset reset');
    expect(strikes([{ kind: 'reset', match: { nth: 2 } }], 3)).toBe('- reset -');
    expect(strikes([{ kind: 'reset', match: { nth: [1, 3] } }], 3)).toBe('reset - reset');
  });

  test('match by record, path and method', () => {
    expect(strikes([{ kind: 'reset', match: { email: 'A@B.co' } }], 1)).toBe('reset');
    expect(strikes([{ kind: 'reset', match: { key: ['x', 'a@b.co'], path: 'upsert', method: 'post' } }], 1)).toBe('reset');
    for (const match of [{ email: 'z@b.co' }, { path: '/read' }, { method: 'GET' }]) expect(strikes([{ kind: 'reset', match }], 1)).toBe('-');
    expect(strikes([{ kind: 'partial', emails: ['z@b.co'] }], 1)).toBe('-');
  });

  test('by luck: about the share asked for, and the same calls each time', () => {
    const run = () => strikes([{ kind: 'reset', match: { probability: 0.3, seed: 7 } }], 1_000);
    const struck = run().split('reset').length - 1;
    expect(run()).toBe(run());
    expect(struck).toBeGreaterThan(250);
    expect(struck).toBeLessThan(350);
  });

  test('lying200: the answer of a success, nothing stored', async () => {
    simulator.addFault({ kind: 'lying200' });
    const { status, body } = await post(['a@b.co']);
    expect([status, body['results'][0].properties.email, body['results'][0].new]).toEqual([200, 'a@b.co', true]);
    expect(simulator.records()).toEqual([]);
  });

  test('emptyResult, with and without effect', async () => {
    simulator.addFault({ kind: 'emptyResult' });
    simulator.addFault({ kind: 'emptyResult', commit: true });
    for (const stored of [0, 1]) {
      expect(await post(['a@b.co'])).toMatchObject({ status: 200, body: { results: [], errors: [] } });
      expect(simulator.records()).toHaveLength(stored);
    }
  });

  test('timeouts: before and after the effect; a late answer still comes', async () => {
    simulator.addFault({ kind: 'timeoutBeforeCommit' });
    await expect(post(['a@b.co'], { timeoutMs: 500 })).rejects.toThrow(/timeout/);
    expect(simulator.records()).toHaveLength(0);
    simulator.addFault({ kind: 'timeoutAfterCommit' });
    await expect(post(['a@b.co'], { timeoutMs: 500 })).rejects.toThrow(/timeout/);
    expect(simulator.records()).toHaveLength(1);
    simulator.addFault({ kind: 'timeoutAfterCommit', ms: 30 });
    expect((await post(['a@b.co'])).status).toBe(200);
    expect(simulator.stats()).toMatchObject({
      calls: 3,
      byStatus: { 200: 1, none: 2 },
      faults: { timeoutBeforeCommit: 1, timeoutAfterCommit: 2 },
    });
  });

  test('reset, with and without effect', async () => {
    simulator.addFault({ kind: 'reset' });
    simulator.addFault({ kind: 'reset', commit: true });
    for (const stored of [0, 1]) {
      await expect(post(['a@b.co'])).rejects.toThrow('fetch failed');
      expect(simulator.records()).toHaveLength(stored);
    }
  });

  test('slow and latency delay, and change nothing else', async () => {
    simulator.addFault({ kind: 'slow', ms: 60 });
    simulator.configure({ latencyMs: [20, 30] });
    const started = performance.now();
    expect((await post(['a@b.co'])).status).toBe(200);
    expect(performance.now() - started).toBeGreaterThan(75);
  });

  test('a fault never hides the limit', async () => {
    simulator.configure({ limits: { TEN_SECONDLY_ROLLING: { max: 1 } } });
    simulator.addFault({ kind: 'serverError', times: 'forever' });
    expect([(await post(['a@b.co'])).status, (await post(['a@b.co'])).status]).toEqual([503, 429]);
  });
});

describe('what it keeps', () => {
  test('records with every write, and identical writes counted', async () => {
    await post(['A@b.co']);
    await post(['a@b.co', 'c@b.co']);
    const { body: records } = await admin('GET', 'records');
    expect(records.map(({ key, version }: { key: string; version: number }) => ({ key, version }))).toEqual([
      { key: 'a@b.co', version: 2 },
      { key: 'c@b.co', version: 1 },
    ]);
    const [first, second] = records[0].history;
    expect(first).toMatchObject({ at: expect.any(String), requestId: expect.any(String), properties: { firstname: 'Ada' } });
    expect(first.requestId).not.toBe(second.requestId);
    expect(simulator.stats().records).toEqual({ records: 2, writes: 3, created: 2, identical: 1, removed: 0 });
    expect((await admin('GET', 'records?key=C@b.co')).body).toHaveLength(1);
  });

  test('everything that is asked is counted: unknown paths, bad bodies, missing tokens', async () => {
    const headers = { authorization: 'Bearer one', 'content-type': 'application/json' };
    const statuses = [
      (await fetch(`${url}/nowhere`, { headers })).status,
      (await fetch(url + path, { method: 'POST', headers, body: '{"inputs":' })).status,
      (await fetch(url + path, { method: 'POST', headers, body: `{"x":"${'x'.repeat(11 * 1024 * 1024)}"}` })).status,
      (await fetch(url + path, { method: 'POST' })).status,
    ];
    expect(statuses).toEqual([404, 400, 413, 401]);
    expect(simulator.stats()).toMatchObject({ calls: 4, byStatus: { 400: 1, 401: 1, 404: 1, 413: 1 } });
    expect(JSON.stringify(simulator.stats())).not.toContain('"one"');
  });
});

describe('remote control', () => {
  test('faults come and go', async () => {
    const { body: added } = await admin('POST', 'faults', [
      { kind: 'reset', times: 'forever' },
      { kind: 'status', status: 500, id: 'mine' },
    ]);
    expect(added.map(({ id }: { id: string }) => id)).toEqual([expect.stringMatching(/^fault-\d+$/), 'mine']);
    await admin('DELETE', 'faults/mine');
    expect((await admin('GET', 'faults')).body).toEqual([{ rule: expect.objectContaining({ kind: 'reset' }), left: 'forever', matched: 0, fired: 0 }]);
    await admin('DELETE', 'faults');
    expect((await admin('GET', 'faults')).body).toEqual([]);
  });

  test('what it cannot read is refused with where and why, and changes nothing', async () => {
    expect(await admin('POST', 'faults', { kind: 'earthquake' })).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('kind') },
    });
    expect(await admin('POST', 'faults', { kind: 'reset', mach: {} })).toMatchObject({ status: 400 });
    expect(await admin('POST', 'config', { limits: { HOURLY: { max: 1 } } })).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('TEN_SECONDLY_ROLLING') },
    });
    expect(await admin('POST', 'config', { latencyMs: 'much' })).toMatchObject({ status: 400 });
    expect(simulator.faults()).toEqual([]);
    expect((await post(['a@b.co'])).status).toBe(200);
  });

  test('reset forgets, settings stay', async () => {
    await admin('POST', 'config', { properties: ['loyalty_tier'] });
    await post(['a@b.co']);
    await admin('POST', 'reset');
    expect(simulator.stats()).toMatchObject({ calls: 0, records: { records: 0, writes: 0 } });
    expect(simulator.configure({}).properties).toEqual(['loyalty_tier']);
    expect((await admin('GET', 'stats')).body).toMatchObject({ vendor: 'hubspot', calls: 0 });
  });
});
