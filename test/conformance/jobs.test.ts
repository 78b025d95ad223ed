import { setTimeout as delay } from 'node:timers/promises';
import type { JobState } from '../../connectors/connector';
import type { FaultInput } from '../../connectors/simulator/faults';
import type { SimRecord } from '../../connectors/simulator/records';
import { subjects } from './subjects';
import { failing, vendorUnderTest } from './vendor-under-test';

const withJobs = subjects.flatMap(({ jobs = [], ...subject }) => jobs.map((one) => ({ ...subject, ...one, name: one.job.name })));

function hasKey(records: readonly SimRecord[], key: string): boolean {
  return records.some((record) => record.key === key);
}

describe.each(withJobs)('$connector.vendor $name', (subject) => {
  const { connector, simulated, credentials, job, input, before, cancelled, method = 'POST', path, readBack, aggregates = false, landed = hasKey } = subject;
  const { simulator, gate, ...clients } = vendorUnderTest({
    connector,
    simulated,
    credentials,
    by: { scopes: [{ vendor: connector.vendor, scope: 'main' }], lane: 'scheduled', sync: 'conformance' },
  });
  const call = (fault?: FaultInput) => (fault?.kind.startsWith('timeout') ? clients.hasty() : clients.call());
  const rowsOf = (count: number) => Array.from({ length: count }, (_, n) => input(n));
  /** Rows that can be written now. */
  const ready = async (count: number) => {
    const rows = rowsOf(count);
    await before?.(call(), rows);
    return rows;
  };
  /** Of a full job there are so many that hashing each of them again and again would take most of the time. */
  const keys = new WeakMap<object, string>();
  const keyOf = (row: unknown): string => {
    const key = keys.get(row as object) ?? job.key(row);
    keys.set(row as object, key);
    return key;
  };
  const keysOf = (rows: unknown[]) => rows.map(keyOf).sort();
  const landedOf = (rows: unknown[]) => {
    const records = simulator.records();
    const byKey = new Map<string, SimRecord[]>();
    for (const record of records) byKey.set(record.key, [...(byKey.get(record.key) ?? []), record]);
    return keysOf(rows).filter((key) => landed(byKey.get(key) ?? [], key));
  };
  /** Looks until the job is over. */
  const outcome = async (id: string, rows: unknown[]): Promise<{ looks: number; state: Exclude<JobState, { state: 'running' }> }> => {
    for (let looks = 1; ; looks++) {
      const state = await job.poll(call(), id, rows);
      if (state.state !== 'running') return { looks, state };
      expect(state.againMs).toBeGreaterThan(0);
      await delay(20);
    }
  };
  const run = async (rows: unknown[]) => outcome((await job.submit(call(), rows)).job, rows);
  const posting = { method, path };
  /** What a job that took `taken` of its rows, and named none of them, says when it is over. */
  const unnamed = (taken: number, word: unknown = expect.stringMatching(/^(accepted|verified)$/)) =>
    aggregates ? { unnamed: 'unattributed', taken } : { unnamed: word };
  const matchedIn = (state: JobState) => (state.state === 'ended' ? state.matched : undefined);

  beforeEach(() => simulator.configure({ limits: 'unlimited', jobMs: 40 }));
  // Submissions, looks and pages of errors: one permit for each request the vendor saw.
  afterEach(() => {
    expect(gate.ends).toHaveLength(simulator.stats().calls);
    expect([gate.open(), gate.endedTwice]).toEqual([0, 0]);
  });

  test('declares itself', () => {
    const rows = rowsOf(5);
    for (const row of rows) expect(job.input.safeParse(row).success).toBe(true);
    expect(new Set(keysOf(rows)).size).toBe(5);
    expect([undefined, ...(connector.quotas ?? [])]).toContain(job.quota);
  });

  test('a job is submitted, runs for a while, and lands every row', async () => {
    const rows = await ready(5);
    const { looks, state } = await run(rows);
    expect(looks).toBeGreaterThan(1);
    const matched = matchedIn(state);
    expect(state).toEqual({ state: 'ended', results: [], ...unnamed(5), ...(aggregates && matched ? { matched } : {}) });
    if (matched) for (const part of [matched.least, matched.most, matched.most - matched.least]) expect(Math.min(1, Math.max(0, part))).toBe(part);
    expect(landedOf(rows)).toEqual(keysOf(rows));
    if (readBack) expect((await readBack(call(), keysOf(rows))).sort()).toEqual(keysOf(rows));
    else expect(aggregates).toBe(true);
  });

  test('nobody need look for a job to land', async () => {
    const rows = await ready(2);
    await job.submit(call(), rows);
    while (landedOf(rows).length < 2) await delay(10);
  });

  test.each([1, 3, 140])('%p refused rows of 250: each row has one fate, and it is the right one', async (count) => {
    const rows = await ready(250);
    const bad = keysOf(rows.slice(0, count));
    simulator.addFault({ kind: 'partial', emails: bad, code: 'REFUSED_HERE', message: `row of ${bad[0]} is no good` });
    const { state } = await run(rows);
    if (state.state !== 'ended') throw new Error(`the job ${state.state}`);
    expect(state).toMatchObject(unnamed(250 - count, 'accepted'));
    expect(state.results.map(({ key }) => key).sort()).toEqual(aggregates ? [] : bad);
    for (const result of state.results) expect(result).toMatchObject({ status: 'rejected', code: 'REFUSED_HERE' });
    expect(JSON.stringify(state.results.map(({ cause }) => cause))).not.toContain('@');
    expect(landedOf(rows)).toEqual(keysOf(rows.slice(count)).sort());
  });

  // A vendor may take 20,000 rows in one go, in several requests.
  const patienceMs = 120_000;
  test(
    'a full job is taken, one more row is refused',
    async () => {
      const rows = await ready(job.maxRows + 1);
      expect(JSON.stringify(rows).length).toBeLessThan(job.maxBytes);
      expect((await run(rows.slice(1))).state).toMatchObject({ state: 'ended', results: [], ...(aggregates ? { taken: job.maxRows } : {}) });
      if (aggregates) expect(landedOf(rows.slice(1))).toHaveLength(job.maxRows);
      else expect(simulator.records().length).toBeGreaterThanOrEqual(job.maxRows);
      expect((await failing(job.submit(call(), rows))).code).toBe('INVALID');
    },
    patienceMs,
  );

  test(`a job that is accepted and dropped looks like one that landed; ${readBack ? 'reading back tells' : 'nothing tells'}`, async () => {
    const rows = await ready(3);
    simulator.addFault({ kind: 'lying200', match: posting });
    expect((await run(rows)).state).toMatchObject({ state: 'ended', results: [], ...(aggregates ? unnamed(3) : {}) });
    expect(landedOf(rows)).toEqual([]);
    if (readBack) expect(await readBack(call(), keysOf(rows))).toEqual([]);
  });

  test('a job called off has failed as a whole', async () => {
    const rows = await ready(5);
    const { job: id } = await job.submit(call(), rows);
    simulator.addFault(cancelled);
    expect(await job.poll(call(), id, rows)).toMatchObject({
      state: 'failed',
      retry: job.resend === 'safe',
      code: expect.any(String),
      cause: expect.any(String),
    });
  });

  test('a job the vendor does not know has failed as a whole', async () => {
    expect(await job.poll(call(), 'no-such-job', rowsOf(1))).toMatchObject({ state: 'failed', retry: job.resend === 'safe' });
  });

  test('limits and outages at any step are errors to try again; the job goes on', async () => {
    const rows = await ready(5);
    for (const [fault, code] of [
      [{ kind: 'rateLimit' }, 'RATE_LIMITED'],
      [{ kind: 'serverError' }, 'UNAVAILABLE'],
      [{ kind: 'status', status: 200, body: '<html>Welcome</html>' }, 'UNKNOWN'],
      [{ kind: 'emptyResult' }, 'UNKNOWN'],
    ] as const) {
      simulator.addFault(fault);
      expect(await failing(job.submit(call(), rows))).toMatchObject({ code, retryable: true });
      const { job: id } = await job.submit(call(), rows);
      simulator.addFault(fault);
      expect(await failing(job.poll(call(), id, rows))).toMatchObject({ code, retryable: true });
      expect((await outcome(id, rows)).state).toMatchObject({ state: 'ended', results: [] });
    }
  });

  // Counts come with the answer to a look: there is nothing else to read.
  if (!aggregates)
    test('an outage while errors are read says nothing of the rows', async () => {
      const rows = await ready(5);
      simulator.addFault({ kind: 'partial', emails: [job.key(rows[0])] });
      const { job: id } = await job.submit(call(), rows);
      while (landedOf(rows).length < 4) await delay(10);
      simulator.addFault({ kind: 'serverError', match: { method: 'GET', nth: 2 }, times: 1 });
      expect(await failing(job.poll(call(), id, rows))).toMatchObject({ code: 'UNAVAILABLE' });
      expect(await job.poll(call(), id, rows)).toMatchObject({ state: 'ended', results: [{ key: job.key(rows[0]) }] });
    });

  test(`resend: ${job.resend}`, async () => {
    const rows = await ready(5);
    const start = simulator.stats().records;
    const late: FaultInput = { kind: 'timeoutAfterCommit', match: posting };
    simulator.addFault(late);
    expect(await failing(job.submit(call(late), rows))).toMatchObject({ ambiguous: true });
    while (landedOf(rows).length < 5) await delay(10);
    const first = simulator.stats().records;
    expect((await run(rows)).state).toMatchObject({ state: 'ended', results: [] });
    if (job.resend === 'safe') {
      const again = simulator.stats().records;
      expect(again.records).toBe(first.records);
      expect(again.identical - first.identical).toBe(first.writes - start.writes);
    }
  });

  test('handed over again under its name, after an answer that was lost: the rows count once', async () => {
    const rows = await ready(5);
    const late: FaultInput = { kind: 'timeoutAfterCommit', match: posting };
    simulator.addFault(late);
    expect(await failing(job.submit(call(late), rows, 'run-1/0'))).toMatchObject({ ambiguous: true });
    while (landedOf(rows).length < 5) await delay(10);
    const first = simulator.stats().records;
    const { job: id } = await job.submit(call(), rows, 'run-1/0');
    expect((await outcome(id, rows)).state).toMatchObject({ state: 'ended', results: [], ...(aggregates ? unnamed(5) : {}) });
    if (job.resend === 'safe') expect(simulator.stats().records.records).toBe(first.records);
  });

  test('no secret and no personal data in errors, whatever the vendor repeats', async () => {
    const rows = rowsOf(1);
    const secret = Object.values(credentials)[0]!;
    const words = `${secret} is not for ${job.key(rows[0])}`;
    const body = { message: words, errors: [{ id: 'e-1', code: 'X', title: words, detail: words, source: { pointer: words } }] };
    for (const status of [400, 401, 403, 404, 409, 500]) {
      simulator.addFault({ kind: 'status', status, body });
      const error = await failing(job.submit(call(), rows));
      expect(JSON.stringify({ ...error, message: error.message, stack: error.stack, cause: error.cause })).not.toContain(secret);
      expect(error.message).not.toContain(job.key(rows[0]));
    }
  });
});
