import { createTestLedger, newEvent, outcomeOf, type TestLedger } from '../test/support/ledger';
import { severableProxy } from '../test/support/severable-proxy';

let db: TestLedger;
beforeAll(async () => (db = await createTestLedger()));
beforeEach(() => db.pool.query('truncate syncline.inbox'));
afterAll(() => db.drop());

const starting = { owner: 'starter-1', limit: 100, claimMs: 60_000, backlogAfterMs: 60_000 };
const receive = (ids: string[]) => db.ledger.inbox.receive(ids.map((id) => newEvent(id)));
const claim = async (more: Partial<typeof starting> = {}) => (await db.ledger.inbox.claimForStart({ ...starting, ...more })).map(({ event }) => event.id);
const rowIds = async () => (await db.pool.query('select id::text from syncline.inbox order by id')).rows.map(({ id }) => id as string);
const row = async (columns: string) => (await db.pool.query(`select ${columns} from syncline.inbox order by id`)).rows[0];
/** Time passes for every row. */
const pass = (ms: number) =>
  db.pool.query(
    `update syncline.inbox set queued_at = queued_at - d, start_after = start_after - d, started_at = started_at - d,
       checked_at = checked_at - d, closed_at = closed_at - d from (select $1 * interval '1 millisecond' as d) as t`,
    [ms],
  );
const names = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(4, '0')}`);

test('an event is received, claimed with its body, started and closed', async () => {
  expect(await db.ledger.inbox.receive([newEvent('1'), newEvent('2', { occurredAt: null })])).toEqual(['new', 'new']);
  const [first, second] = await db.ledger.inbox.claimForStart(starting);
  expect(first).toMatchObject({
    syncId: 'orders',
    workflowId: 'orders/main/1',
    rearmed: false,
    event: { id: '1', source: 'shopify', account: 'main', topic: 'orders/create', version: { at: 1_760_000_000_123 }, body: { id: '1', note: 'Grüße' } },
  });
  const { version, receivedAt } = first!.event;
  expect(receivedAt).toBe(new Date(Math.floor(version.arrival / 1000)).toISOString());
  expect(Math.abs(Date.now() - Date.parse(receivedAt))).toBeLessThan(10_000);
  expect(second?.event.version.at).toBe(Math.floor(second!.event.version.arrival / 1000));

  await db.ledger.inbox.markStarted([first!.rowId]);
  expect(await db.ledger.inbox.backlog()).toMatchObject({ rows: 1 });
  await db.ledger.outcomes.record([outcomeOf('1')]);
  expect(await row('state, outcome, body, key_hmacs, closed_at')).toEqual({
    state: 'closed',
    outcome: 'accepted',
    body: null,
    key_hmacs: ['hmac-1'],
    closed_at: expect.any(Date),
  });
});

describe('claiming', () => {
  test('no row goes to two starters', async () => {
    await receive(names('e', 300));
    const starters = [db.ledger, db.another(), db.another()];
    const claimed = await Promise.all(Array.from({ length: 12 }, (_, index) => starters[index % 3]!.inbox.claimForStart({ ...starting, limit: 40 })));
    let ids = claimed.flat().map(({ rowId }) => rowId);
    expect(new Set(ids).size).toBe(ids.length);
    ids = [...ids, ...(await db.ledger.inbox.claimForStart({ ...starting, limit: 300 })).map(({ rowId }) => rowId)];
    expect(new Set(ids).size).toBe(300);
  });

  test('a starter that dies between claim and start leaves its rows to the next', async () => {
    await receive(['1', '2']);
    expect(await claim({ owner: 'dies' })).toEqual(['1', '2']);
    expect(await claim()).toEqual([]);
    await pass(60_000);
    expect(await claim({ owner: 'next' })).toEqual(['1', '2']);
    expect(await row('claimed_by, rearmed')).toEqual({ claimed_by: 'next', rearmed: false });
  });

  test('released rows are free after the delay', async () => {
    await receive(['1']);
    await claim();
    await db.ledger.inbox.release(await rowIds(), 30_000);
    expect(await claim()).toEqual([]);
    await pass(30_001);
    expect(await claim()).toEqual(['1']);
  });

  test('fresh rows and backlog share; each takes what the other leaves', async () => {
    await receive(names('old', 20));
    await pass(120_000);
    await receive(names('new', 6));
    expect(await claim({ limit: 8 })).toEqual([...names('old', 4), ...names('new', 4)]);
    expect(await claim({ limit: 8 })).toEqual([...names('old', 10).slice(4), 'new0004', 'new0005']);
    expect(await claim({ limit: 8 })).toEqual(names('old', 18).slice(10));
    await receive(names('newer', 30));
    expect(await claim({ limit: 10 })).toEqual([...names('old', 20).slice(18), ...names('newer', 8)]);
  });

  test('a re-armed event is fresh again', async () => {
    await receive(['1']);
    await db.ledger.outcomes.record([outcomeOf('1', { outcome: 'failed' })]);
    await pass(600_000);
    await receive(names('old', 5));
    await pass(120_000);
    await receive(['1']);
    expect(await claim({ limit: 2 })).toEqual(['old0000', '1']);
  });

  test('the backlog is what waits to start, and its age', async () => {
    expect(await db.ledger.inbox.backlog()).toEqual({ rows: 0, oldestAgeMs: 0 });
    await receive(['1', '2', '3']);
    await pass(5_000);
    const { rows, oldestAgeMs } = await db.ledger.inbox.backlog();
    expect(rows).toBe(3);
    expect(oldestAgeMs).toBeGreaterThan(4_999);
    expect(oldestAgeMs).toBeLessThan(15_000);
  });
});

describe('marking as started', () => {
  test('a run that was quicker stays closed', async () => {
    await receive(['1']);
    await claim();
    await db.ledger.outcomes.record([outcomeOf('1')]);
    await db.ledger.inbox.markStarted(await rowIds());
    await db.ledger.inbox.release(await rowIds(), 0);
    expect(await row('state, outcome')).toEqual({ state: 'closed', outcome: 'accepted' });
  });

  test('a row re-armed meanwhile starts once more', async () => {
    await receive(['1']);
    await claim();
    await db.ledger.outcomes.record([outcomeOf('1', { outcome: 'failed' })]);
    await receive(['1']);
    await db.ledger.inbox.markStarted(await rowIds());
    expect(await claim()).toEqual(['1']);
  });
});

describe('checking for lost runs', () => {
  const check = async (olderThanMs = 60_000, everyMs = 10_000) =>
    (await db.ledger.inbox.claimForCheck({ olderThanMs, everyMs, limit: 10 })).map(({ workflowId }) => workflowId);
  beforeEach(async () => {
    await receive(['1', '2', '3']);
    await claim();
    await db.ledger.inbox.markStarted((await rowIds()).slice(0, 2));
  });

  test('started rows without an outcome come up when they are old enough, then now and then', async () => {
    expect(await check()).toEqual([]);
    await pass(60_001);
    expect((await check()).sort()).toEqual(['orders/main/1', 'orders/main/2']);
    expect(await check()).toEqual([]);
    await pass(10_001);
    expect(await check()).toHaveLength(2);
    await db.ledger.outcomes.record([outcomeOf('1')]);
    await pass(10_001);
    expect(await check()).toEqual(['orders/main/2']);
  });

  test('a lost run ends failed and keeps its body; one with an outcome does not change', async () => {
    await db.ledger.outcomes.record([outcomeOf('2')]);
    await db.ledger.outcomes.recordLost(await rowIds());
    expect(await db.ledger.queries.runs({ limit: 9 })).toMatchObject([
      { eventId: '3', state: 'claimed' },
      { eventId: '2', outcome: 'accepted', hasBody: false },
      { eventId: '1', outcome: 'failed', code: 'RUN_LOST', hasBody: true },
    ]);
    expect(await receive(['1'])).toEqual(['rearmed']);
  });
});

describe('wake-ups', () => {
  /** Counts wake-ups and lets a test await the next one. */
  function counter() {
    let count = 0;
    let tell: (() => void) | undefined;
    return {
      listener: () => {
        count++;
        tell?.();
      },
      count: () => count,
      next: () => new Promise<void>((resolve) => (tell = resolve)),
    };
  }

  test('arrivals wake every listener; duplicates do not', async () => {
    const [mine, theirs] = [counter(), counter()];
    const stops = [await db.ledger.inbox.onArrival(mine.listener), await db.another().inbox.onArrival(theirs.listener)];
    let woken = Promise.all([mine.next(), theirs.next()]);
    await receive(['1']);
    await woken;
    await receive(['1']);
    woken = Promise.all([mine.next(), theirs.next()]);
    await receive(['2']);
    await woken;
    expect([mine.count(), theirs.count()]).toEqual([2, 2]);
    await Promise.all(stops.map((stop) => stop()));
    await receive(['3']);
    expect(mine.count()).toBe(2);
  });

  test('the listener comes back by itself, and wakes for what it may have missed', async () => {
    const proxy = await severableProxy(db.url);
    const warn = jest.fn();
    const ledger = db.another({ connectionString: proxy.url, log: { info: jest.fn(), warn, error: jest.fn() } });
    const mine = counter();
    const stop = await ledger.inbox.onArrival(mine.listener);
    const back = mine.next();
    proxy.refuse();
    await receive(['missed']);
    proxy.restore();
    await back;
    expect(warn).toHaveBeenCalled();
    const woken = mine.next();
    await receive(['heard']);
    await woken;
    await stop();
    await ledger.close();
    await proxy.close();
  });
});
