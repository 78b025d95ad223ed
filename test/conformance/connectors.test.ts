import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createVendorHttp, type HttpAttempt } from '../../connectors/http';
import type { RecordResult } from '../../connectors/connector';
import { type VendorError, type VendorErrorCode } from '../../connectors/errors';
import { createSimulator } from '../../connectors/simulator';
import type { FaultInput } from '../../connectors/simulator/faults';
import type { SimRecord } from '../../connectors/simulator/records';
import { countingGate } from './counting-gate';
import { subjects } from './subjects';
import { failing, vendorUnderTest } from './vendor-under-test';

interface Row {
  fault: FaultInput;
  code: VendorErrorCode;
  retryable: boolean;
  ambiguous?: boolean;
  connection?: boolean;
}

const table: Row[] = [
  { fault: { kind: 'status', status: 400 }, code: 'INVALID', retryable: false },
  { fault: { kind: 'status', status: 401 }, code: 'AUTH', retryable: false },
  { fault: { kind: 'status', status: 403 }, code: 'AUTH', retryable: false },
  { fault: { kind: 'status', status: 404 }, code: 'NOT_FOUND', retryable: false },
  { fault: { kind: 'status', status: 409 }, code: 'CONFLICT', retryable: false },
  { fault: { kind: 'status', status: 413 }, code: 'TOO_LARGE', retryable: false },
  { fault: { kind: 'status', status: 418 }, code: 'UNKNOWN', retryable: true },
  { fault: { kind: 'status', status: 422 }, code: 'INVALID', retryable: false },
  { fault: { kind: 'rateLimit' }, code: 'RATE_LIMITED', retryable: true },
  { fault: { kind: 'status', status: 302, headers: { location: 'https://elsewhere.invalid/' } }, code: 'UNKNOWN', retryable: true },
  ...[500, 502, 503, 504].map((status): Row => ({ fault: { kind: 'serverError', status }, code: 'UNAVAILABLE', retryable: true })),
  { fault: { kind: 'status', status: 503, body: '<html>Bad gateway</html>' }, code: 'UNAVAILABLE', retryable: true },
  { fault: { kind: 'status', status: 200, body: '<html>Welcome</html>' }, code: 'UNKNOWN', retryable: true, ambiguous: true },
  { fault: { kind: 'timeoutBeforeCommit' }, code: 'UNAVAILABLE', retryable: true, ambiguous: true, connection: true },
  { fault: { kind: 'timeoutAfterCommit' }, code: 'UNAVAILABLE', retryable: true, ambiguous: true, connection: true },
  { fault: { kind: 'reset' }, code: 'UNAVAILABLE', retryable: true, ambiguous: true, connection: true },
];

test('every vendor folder with a simulator is a subject of this suite', () => {
  const root = join(__dirname, '../../connectors');
  const folders = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && readdirSync(join(root, entry.name)).includes('simulator.ts'))
    .map((entry) => entry.name);
  expect(subjects.map(({ connector }) => connector.vendor).sort()).toEqual(folders.sort());
});

describe.each(subjects)('$connector.vendor', ({ connector, simulated, credentials, once, quotas, operations }) => {
  let attempts: HttpAttempt[] = [];
  const secrets = Object.values(credentials);
  const limits = connector.limits(undefined);
  /** A 429 with most; some say it with a 403, or inside a 200. */
  const overLimit = simulated.limited(limits[0]!, 'id').status;
  const { simulator, gate, ...clients } = vendorUnderTest({
    connector,
    simulated,
    credentials,
    by: { scopes: [{ vendor: connector.vendor, scope: 'main' }], lane: 'live', sync: 'conformance' },
    onAttempt: (attempt) => attempts.push(attempt),
  });
  const call = (fault?: FaultInput) => (fault?.kind.startsWith('timeout') ? clients.hasty() : clients.call());

  beforeEach(() => {
    attempts = [];
    simulator.configure({ limits: 'unlimited', retryAfter: 'none', tokens: null, windowScale: 1, jobMs: 10 });
  });
  // Whatever a test did: one permit per request the vendor saw, each ended once.
  afterEach(() => {
    expect(gate.ends).toHaveLength(simulator.stats().calls);
    expect(attempts).toHaveLength(gate.ends.length);
    expect([gate.open(), gate.endedTwice]).toEqual([0, 0]);
  });

  test('declares itself', () => {
    expect(connector.plans.length).toBeGreaterThan(0);
    expect(Object.keys(quotas ?? {}).sort()).toEqual([...(connector.quotas ?? [])].sort());
    for (const [plan, quota] of [undefined, 'no such plan', ...connector.plans].flatMap((one) =>
      [undefined, ...(connector.quotas ?? [])].map((other) => [one, other]),
    )) {
      const limits = connector.limits(plan, quota);
      expect(new Set(limits.map(({ name }) => name)).size).toBe(limits.length);
      for (const limit of limits) expect(limit.max).toBeGreaterThan(0);
    }
    const asked = connector.login?.request(credentials);
    expect(JSON.stringify([connector.auth(credentials), asked])).toContain(secrets[0]);
    if (asked) expect([connector.auth(credentials), asked.path]).toEqual([{}, expect.not.stringContaining(secrets[0]!)]);
    expect(new URL(connector.baseUrl).protocol).toBe('https:');
  });

  test.each(table)('$fault becomes $code', async ({ fault, code, retryable, ambiguous, connection }) => {
    simulator.addFault(fault);
    const error = await failing(once(call(fault)));
    expect({ code: error.code, retryable: error.retryable, ambiguous: error.ambiguous, connection: error.connection }).toEqual({
      code,
      retryable,
      ambiguous: ambiguous ?? false,
      connection: connection ?? false,
    });
    const answered = 'status' in fault ? fault.status : fault.kind === 'rateLimit' ? overLimit : null;
    expect(error.status).toBe(answered);
    expect(gate.ends[0]).toMatchObject({ status: answered, ...(connection ? { connection: true } : {}) });
    expect(gate.ends[0]!.rateLimited !== undefined).toBe(code === 'RATE_LIMITED');
    expect(attempts[0]).toMatchObject({ status: answered, code, ambiguous: ambiguous ?? false });
  });

  test('a refused connection is not ambiguous', async () => {
    const closed = createSimulator(simulated);
    const { url } = await closed.listen();
    await closed.close();
    const counting = countingGate();
    const nowhere = createVendorHttp({ connector, baseUrl: url, credentials: () => Promise.resolve(credentials), gate: counting });
    const error = await failing(once(nowhere.call({ scopes: [], lane: 'live', sync: 'conformance' })));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', connection: true, ambiguous: false, status: null });
    expect(counting.ends).toEqual([{ status: null, headers: {}, connection: true }]);
  });

  test.each([
    ['seconds', () => '7', 7_000],
    ['a date', () => new Date(Date.now() + 60_000).toUTCString(), 60_000],
  ])('Retry-After as %s is kept', async (_form, retryAfter, expected) => {
    simulator.addFault({ kind: 'rateLimit', retryAfter: retryAfter() });
    const error = await failing(once(call()));
    expect(Math.abs(error.retryAfterMs! - expected)).toBeLessThan(2_000);
    expect(gate.ends[0]!.rateLimited!.retryAfterMs).toBe(error.retryAfterMs);
  });

  test.each(['soon', '-5', '', '1e99', '99999999999999999999'])('Retry-After %p does not make us wait for ever', async (retryAfter) => {
    simulator.addFault({ kind: 'rateLimit', retryAfter });
    const error = await failing(once(call()));
    expect(error.retryAfterMs ?? 0).toBeGreaterThanOrEqual(0);
    expect(error.retryAfterMs ?? 0).toBeLessThanOrEqual(24 * 60 * 60 * 1000);
  });

  test.each(limits)('a refusal over $name names it', async ({ name }) => {
    simulator.addFault({ kind: 'rateLimit', limit: name });
    expect(await failing(once(call()))).toMatchObject({ code: 'RATE_LIMITED', limitName: name, ambiguous: false });
    expect(gate.ends[0]!.rateLimited!.limitName).toBe(name);
  });

  test.each(connector.quotas ?? [undefined])(
    'the simulator refuses exactly the call over each declared limit, and the error names the limit',
    async (quota) => {
      const limits = connector.limits(undefined, quota);
      const request = quota === undefined ? once : quotas![quota]!;
      for (const limit of limits) {
        if (limit.kind === 'concurrent') continue;
        simulator.reset();
        gate.reset();
        attempts = [];
        const others = limits.filter(({ name }) => name !== limit.name);
        const wide = Object.fromEntries(others.map(({ name }) => [name, { max: 1_000_000 }]));
        // A daily limit in full would take minutes: its kind is checked with a smaller number.
        const max = Math.min(limit.max, 200);
        simulator.configure({ limits: { ...wide, [limit.name]: { max, ms: 60 * 60_000 } } });
        const errors: VendorError[] = [];
        let left = max + 1;
        const caller = async (): Promise<void> => {
          while (left-- > 0) await request(call()).catch((error: VendorError) => errors.push(error));
        };
        await Promise.all(Array.from({ length: 10 }, caller));
        // Used up for one family of endpoints, and for no other.
        for (const other of Object.keys(quotas ?? {}).filter((name) => name !== quota)) {
          await quotas![other]!(call());
        }
        expect(errors.map(({ code, limitName }) => ({ code, limitName }))).toEqual([{ code: 'RATE_LIMITED', limitName: limit.name }]);
        const stats = simulator.stats();
        expect(stats.overLimit).toEqual({ [limit.name]: 1 });
        if (overLimit >= 300) expect(stats.byStatus[String(overLimit)]).toBe(1);
        else expect(stats.byStatus[String(overLimit)]).toBe(max + 1);
        const readings = gate.ends.flatMap(({ headers }) => connector.limitReadings({ headers })).filter((reading) => reading.limit === limit.name);
        for (const { remaining } of readings) expect(remaining).toBeLessThan(max);
      }
    },
  );

  test('no secret is in any error, not even when the vendor repeats it', async () => {
    const said = {
      status: 'error',
      category: 'X',
      code: 'X',
      errorCode: 'X',
      message: `token ${secrets[0]} of ada@example.com is no good`,
      token: secrets[0],
    };
    const hidden = connector.failureIn ? [200] : [];
    for (const status of [400, 401, 403, 404, 500, ...hidden])
      for (const body of [said, [said], { success: false, errors: [said] }]) {
        if (status === 200 && connector.failureIn?.({ status, headers: {}, data: body }) === null) continue;
        simulator.addFault({ kind: 'status', status, body });
        const error = await failing(once(call()));
        const all = JSON.stringify({ ...error, message: error.message, stack: error.stack, cause: error.cause });
        for (const secret of secrets) expect(all).not.toContain(secret);
        expect(error.message).not.toContain('ada@example.com');
      }
  });

  test('malformed limit headers are left out', () => {
    const sent = simulated.headers(
      limits.map((limit) => ({ limit, remaining: 1 })),
      'id',
      200,
    );
    for (const garbage of ['1e3, NaN', '', '-1', 'api-usage=', 'api-usage=many/5000', 'api-usage=1/0']) {
      const headers = Object.fromEntries(Object.keys(sent).map((name) => [name, garbage]));
      expect(connector.limitReadings({ headers })).toEqual([]);
    }
    expect(connector.limitReadings({ headers: {} })).toEqual([]);
  });

  for (const { operation, input, before, requests = () => 1, write = {}, whole = false, landed = hasKey } of operations)
    describe(operation.name, () => {
      const batch = (size: number, from = 0) => Array.from({ length: size }, (_, n) => input(from + n));
      const keysOf = (inputs: unknown[]) => inputs.map((one) => operation.key(one)).sort();
      const landedOf = (inputs: unknown[]) => keysOf(inputs).filter((key) => landed(simulator.records(), key));
      const prepare = async (inputs: unknown[]) => {
        await before?.(call(), inputs);
        return inputs;
      };
      /** As the batcher would: never more than `maxBatch` a call. */
      const send = async (inputs: unknown[], by = call) => {
        const results: RecordResult[] = [];
        for (let from = 0; from < inputs.length; from += operation.maxBatch)
          results.push(...(await operation.send(by(), inputs.slice(from, from + operation.maxBatch))));
        return results;
      };

      test('inputs are valid, keys normal and different, fields can be left out', () => {
        const inputs = batch(5);
        for (const one of inputs) expect(operation.input.safeParse(one).success).toBe(true);
        expect(new Set(keysOf(inputs)).size).toBe(5);
        const first = inputs[0]!;
        expect(operation.without(first, [])).toEqual(first);
        expect(operation.without(first, operation.fields(first))).toBeNull();
        expect([undefined, ...(connector.quotas ?? [])]).toContain(operation.quota);
      });

      test.each([1, 2, 37])('%p records: one outcome for each, in any order, in one request per batch', async (size) => {
        const inputs = await prepare(batch(size));
        const start = gate.ends.length;
        const results = await send(inputs);
        expect(results.map(({ key }) => key).sort()).toEqual(keysOf(inputs));
        expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['accepted']));
        expect(results.every(({ vendorId }) => vendorId !== undefined)).toBe(true);
        const batches = Math.ceil(size / operation.maxBatch);
        expect(gate.ends.length - start).toBe(batches * requests(Math.min(size, operation.maxBatch)));
        expect(landedOf(inputs)).toHaveLength(size);
      });

      test('a full batch is taken, one more is refused as a whole', async () => {
        const inputs = await prepare(batch(operation.maxBatch + 1));
        expect(await operation.send(call(), inputs.slice(1))).toHaveLength(operation.maxBatch);
        // What the first call took away has to be there again.
        expect((await failing(operation.send(call(), await prepare(batch(operation.maxBatch + 1))))).code).toBe('INVALID');
      });

      if (whole)
        test('a refusal is for the whole call, so that halves can be sent', async () => {
          const inputs = await prepare(batch(10));
          simulator.addFault({ kind: 'status', status: 400, match: write });
          expect((await failing(operation.send(call(), inputs))).code).toBe('INVALID');
          expect(landedOf(inputs)).toEqual([]);
        });
      else
        test('one bad record does not take the others with it', async () => {
          const inputs = await prepare(batch(10));
          const bad = operation.key(inputs[4]);
          simulator.addFault({ kind: 'partial', emails: [bad], code: 'REFUSED_HERE' });
          const results = await send(inputs);
          expect(results.map(({ key }) => key).sort()).toEqual(keysOf(inputs));
          for (const result of results) {
            if (result.key !== bad) expect(result.status).toBe('accepted');
            else expect(result).toMatchObject({ status: 'rejected', code: 'REFUSED_HERE' });
            expect(result.cause ?? '').not.toContain(bad);
          }
          expect(landedOf(inputs)).toEqual(keysOf(inputs).filter((key) => key !== bad));
        });

      test('a success that names no record is not a success', async () => {
        const inputs = await prepare(batch(3));
        simulator.addFault({ kind: 'emptyResult', match: write, times: 'forever' });
        const results = await send(inputs);
        expect(results.map(({ status, code }) => ({ status, code }))).toEqual(Array(3).fill({ status: 'retry', code: 'MISSING_RESULT' }));
      });

      test(`resend: ${operation.resend}`, async () => {
        const inputs = await prepare(batch(Math.min(2, operation.maxBatch)));
        const late: FaultInput = { kind: 'timeoutAfterCommit', match: write };
        const start = simulator.stats().records;
        simulator.addFault(late);
        const error = await failing(send(inputs, () => call(late)));
        expect(error.ambiguous).toBe(true);
        expect(landedOf(inputs)).toEqual(keysOf(inputs));
        const first = simulator.stats().records;
        await send(inputs);
        if (operation.resend === 'safe') {
          const again = simulator.stats().records;
          expect(again.records).toBe(first.records);
          expect(again.identical - first.identical).toBe(first.writes - start.writes);
          expect(again.writes - first.writes).toBe(first.writes - start.writes);
        }
      });
    });
});

function hasKey(records: readonly SimRecord[], key: string): boolean {
  return records.some((record) => record.key === key);
}
