import { createTestLedger, newEvent, outcomeOf, type TestLedger } from '../test/support/ledger';

let db: TestLedger;
beforeAll(async () => (db = await createTestLedger()));
beforeEach(() => db.pool.query('truncate syncline.inbox'));
afterAll(() => db.drop());

const record = (...rows: ReturnType<typeof outcomeOf>[]) => db.ledger.outcomes.record(rows);
const receive = async (id: string) => (await db.ledger.inbox.receive([newEvent(id)]))[0];
const lines = () => db.ledger.queries.runs({ limit: 100 });

test.each(['verified', 'accepted', 'skipped', 'superseded'] as const)('%s drops the body', async (outcome) => {
  await receive('1');
  await record(outcomeOf('1', { outcome }));
  expect(await lines()).toMatchObject([{ state: 'closed', outcome, hasBody: false, closedAt: expect.stringMatching(/Z$/) }]);
});

test.each(['rejected', 'invalid', 'expired', 'failed'] as const)('%s keeps the body for a replay', async (outcome) => {
  await receive('1');
  await record(outcomeOf('1', { outcome, code: 'WHY', cause: 'because', attempts: 3, fallback: true }));
  expect(await lines()).toMatchObject([{ outcome, code: 'WHY', cause: 'because', attempts: 3, fallback: true, hasBody: true }]);
  expect(await db.ledger.queries.event('orders/main/1')).toMatchObject({ id: '1', body: { id: '1' } });
});

test('a direct start gets its row here, and is the same event at the door', async () => {
  await record(outcomeOf('1'));
  expect(await lines()).toMatchObject([{ eventId: '1', receivedAt: '2026-01-02T03:04:05.678Z', outcome: 'accepted', hasBody: false, duplicates: 0 }]);
  expect(await receive('1')).toBe('duplicate');
});

test('many rows of many events, the last of each event wins, and repeating changes nothing', async () => {
  const rows = Array.from({ length: 500 }, (_, index) => outcomeOf(`${index}`, { outcome: index % 2 ? 'rejected' : 'skipped', code: 'FIRST' }));
  await record(...rows, outcomeOf('7', { outcome: 'accepted' }));
  const before = await db.pool.query('select * from syncline.inbox order by id');
  expect(before.rowCount).toBe(500);
  expect(await db.ledger.queries.counts({})).toEqual([
    { outcome: 'skipped', code: 'FIRST', count: 250 },
    { outcome: 'rejected', code: 'FIRST', count: 249 },
    { outcome: 'accepted', code: null, count: 1 },
  ]);
  await record(...rows.filter(({ eventId }) => eventId !== '7'));
  expect((await db.pool.query('select * from syncline.inbox order by id')).rows).toEqual(before.rows);
});

test('writers of the same rows in different orders do not deadlock', async () => {
  const rows = Array.from({ length: 100 }, (_, index) => outcomeOf(`${index}`));
  const other = db.another();
  await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 ? other : db.ledger).outcomes.record(index % 3 ? rows : [...rows].reverse())));
  expect(await db.ledger.queries.counts({})).toEqual([{ outcome: 'accepted', code: null, count: 100 }]);
});

describe('what an older run says late', () => {
  const failed = outcomeOf('1', { outcome: 'failed', runId: 'run-1' });

  test('does not close an event that was re-armed', async () => {
    await receive('1');
    await record(failed);
    expect(await receive('1')).toBe('rearmed');
    await record(failed);
    expect(await lines()).toMatchObject([{ state: 'new', outcome: null }]);
    await record({ ...failed, runId: 'run-2' });
    expect(await receive('1')).toBe('rearmed');
    await record(failed);
    expect(await lines()).toMatchObject([{ state: 'new', outcome: null }]);
    await record(outcomeOf('1', { runId: 'run-3' }));
    expect(await lines()).toMatchObject([{ state: 'closed', outcome: 'accepted' }]);
  });

  test('does not close an event that is being replayed', async () => {
    await receive('1');
    await record(failed);
    expect(await db.ledger.inbox.reopen('orders/main/1')).toBe(true);
    expect(await lines()).toMatchObject([{ state: 'started', outcome: null, closedAt: null, hasBody: true }]);
    await record(failed);
    expect(await lines()).toMatchObject([{ state: 'started', outcome: null }]);
    await record({ ...failed, runId: 'run-2', outcome: 'accepted' });
    expect(await lines()).toMatchObject([{ outcome: 'accepted' }]);
  });

  test('accepted does not undo verified', async () => {
    await record(outcomeOf('1', { outcome: 'verified' }));
    await record(outcomeOf('1', { outcome: 'accepted' }));
    expect(await lines()).toMatchObject([{ outcome: 'verified' }]);
  });
});

test('reopening says whether there was a row', async () => {
  expect(await db.ledger.inbox.reopen('nobody')).toBe(false);
  await receive('1');
  expect(await db.ledger.inbox.reopen('orders/main/1')).toBe(true);
  expect(await lines()).toMatchObject([{ state: 'new' }]);
});

test('findings change the ledger of an accepted event and nothing else', async () => {
  const place = { syncId: 'orders', vendor: 'hubspot', account: 'main', object: 'contact', version: { at: 1, arrival: 1 }, mapVersion: 1, fields: ['a'] };
  for (const id of ['1', '2', '3']) {
    const request = { ...place, keyHmac: `hmac-${id}`, workflowId: `orders/main/${id}` };
    await db.ledger.fence.claim([request], { claimMs: 1_000 });
    await db.ledger.fence.confirm([{ ...request, claim: 1, landed: true }], [outcomeOf(id)]);
  }
  const finding = (id: string, result: 'verified' | 'missing' | 'drifted') => ({ ...place, keyHmac: `hmac-${id}`, workflowId: `orders/main/${id}`, result });
  await db.ledger.fence.recordFindings([finding('3', 'missing'), finding('1', 'verified'), finding('2', 'drifted')]);
  expect(await lines()).toMatchObject([
    { eventId: '3', outcome: 'accepted', finding: 'missing' },
    { eventId: '2', outcome: 'accepted', finding: 'drifted' },
    { eventId: '1', outcome: 'verified', finding: null },
  ]);
  expect((await db.ledger.queries.runs({ outcome: 'missing', limit: 9 })).map(({ eventId }) => eventId)).toEqual(['3']);
  expect(await db.ledger.queries.funnel()).toMatchObject([{ outcomes: { accepted: 2, verified: 1 }, findings: { missing: 1, drifted: 1 } }]);
});
