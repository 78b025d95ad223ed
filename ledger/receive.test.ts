import { Pool } from 'pg';
import { createTestLedger, newEvent, outcomeOf, type TestLedger } from '../test/support/ledger';
import { severableProxy } from '../test/support/severable-proxy';

let db: TestLedger;
beforeAll(async () => (db = await createTestLedger()));
beforeEach(() => db.pool.query('truncate syncline.inbox'));
afterAll(() => db.drop());

const rows = async (columns = '*') => (await db.pool.query(`select ${columns} from syncline.inbox order by id`)).rows;
const starting = { owner: 'starter', limit: 100, claimMs: 60_000, backlogAfterMs: 60_000 };

test('5,000 events in parallel from two gateways, each sent twice: every one is new exactly once', async () => {
  const gateways = [db.ledger, db.another()];
  const ids = Array.from({ length: 5_000 }, (_, index) => `event-${index}`);
  const receipts = await Promise.all(gateways.flatMap((gateway) => ids.map(async (id) => ({ id, receipt: (await gateway.inbox.receive([newEvent(id)]))[0] }))));
  expect(
    receipts
      .filter(({ receipt }) => receipt === 'new')
      .map(({ id }) => id)
      .sort(),
  ).toEqual([...ids].sort());
  expect(receipts.filter(({ receipt }) => receipt === 'duplicate')).toHaveLength(5_000);
  expect(await db.ledger.queries.funnel()).toMatchObject([{ received: 5_000, duplicates: 5_000, waitingToStart: 5_000 }]);
});

test('calls that come in together share statements; a call alone does not wait', async () => {
  const query = jest.spyOn(Pool.prototype, 'query');
  await db.ledger.inbox.receive([newEvent('alone')]);
  expect(query).toHaveBeenCalledTimes(1);
  await Promise.all(Array.from({ length: 1_000 }, (_, index) => db.ledger.inbox.receive([newEvent(`${index}`)])));
  expect(query.mock.calls.length).toBeLessThan(20);
  query.mockRestore();
});

test('equal events in one delivery, and in deliveries that share a statement', async () => {
  expect(await db.ledger.inbox.receive([newEvent('1'), newEvent('2'), newEvent('1')])).toEqual(['new', 'new', 'duplicate']);
  const receipts = await Promise.all(Array.from({ length: 50 }, () => db.ledger.inbox.receive([newEvent('3'), newEvent('4')])));
  expect(receipts.flat().filter((receipt) => receipt === 'new')).toHaveLength(2);
  expect(await rows('event_id, duplicates')).toEqual([
    { event_id: '1', duplicates: 1 },
    { event_id: '2', duplicates: 0 },
    { event_id: '3', duplicates: 49 },
    { event_id: '4', duplicates: 49 },
  ]);
});

test('the same event id means different events in another sync or account', async () => {
  expect(await db.ledger.inbox.receive([newEvent('1'), newEvent('1', { syncId: 'other' }), newEvent('1', { account: 'eu' })])).toEqual(['new', 'new', 'new']);
});

test('events of one delivery keep their order, whatever their ids', async () => {
  await db.ledger.inbox.receive(['z', 'a', 'm'].map((id) => newEvent(id)));
  const claimed = await db.ledger.inbox.claimForStart(starting);
  expect(claimed.map(({ event }) => event.id)).toEqual(['z', 'a', 'm']);
  const arrivals = claimed.map(({ event }) => event.version.arrival);
  expect(arrivals[1]).toBe(arrivals[0]! + 1);
  expect(arrivals[2]).toBe(arrivals[0]! + 2);
});

test('a delivery that the database refuses takes nobody along, and is refused as a whole', async () => {
  const tooLong = Array.from({ length: 4_000 }, () => Math.random().toString(36)[2]).join('');
  const results = await Promise.allSettled([
    ...Array.from({ length: 20 }, (_, index) => db.ledger.inbox.receive([newEvent(`good-${index}`)])),
    db.ledger.inbox.receive([newEvent('beside'), newEvent(tooLong)]),
    ...Array.from({ length: 20 }, (_, index) => db.ledger.inbox.receive([newEvent(`fine-${index}`)])),
  ]);
  expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1);
  expect(await rows('event_id')).toHaveLength(40);
});

test.each([null, 0, -1, 1_760_000_000_123, 8.64e15, Number.NaN, Infinity, 1e300, 1.5])('source time %p', async (occurredAt) => {
  await db.ledger.inbox.receive([newEvent('1', { occurredAt })]);
  const [claimed] = await db.ledger.inbox.claimForStart(starting);
  const valid = occurredAt !== null && Math.abs(occurredAt) <= 8.64e15;
  expect(claimed?.event.version.at).toBe(valid ? Math.trunc(occurredAt) : Date.parse(claimed?.event.receivedAt ?? ''));
});

test('characters that PostgreSQL does not take, and bodies of any kind, come through', async () => {
  const body = { nul: 'a\0b', lone: '\ud800', emoji: '🦊', list: [1, 2.5, null, true] };
  await db.ledger.inbox.receive([newEvent('a\0b', { topic: '\0', body }), newEvent('null', { body: null })]);
  const claimed = await db.ledger.inbox.claimForStart(starting);
  expect(claimed.map(({ event }) => event.body)).toEqual([body, null]);
  expect(claimed[0]?.event).toMatchObject({ id: 'a\uFFFDb', topic: '\uFFFD' });
});

test('bodies pass the codec; one that cannot be read does not stop the others', async () => {
  const codec = {
    encode: async (body: Buffer) => Buffer.from(body.toString('base64')),
    decode: async (body: Buffer) => Buffer.from(body.toString(), 'base64'),
  };
  const error = jest.fn();
  const ledger = db.another({ codec, log: { info: jest.fn(), warn: jest.fn(), error } });
  await ledger.inbox.receive([newEvent('1', { body: { email: 'ada@example.com' } })]);
  await db.ledger.inbox.receive([newEvent('2', { body: 'not base64 of JSON' })]);
  expect((await rows('body'))[0].body.toString()).not.toContain('ada@');
  expect((await ledger.inbox.claimForStart(starting)).map(({ event }) => event.body)).toEqual([{ email: 'ada@example.com' }]);
  expect(error).toHaveBeenCalledWith(expect.objectContaining({ workflowId: 'orders/main/2' }), expect.stringContaining('cannot be read'));
});

describe('redelivery', () => {
  const close = (outcome: 'accepted' | 'skipped' | 'superseded' | 'verified' | 'rejected' | 'invalid' | 'expired' | 'failed') =>
    db.ledger.outcomes.record([outcomeOf('1', { outcome, code: 'WHY', cause: 'because' })]);

  test.each(['rejected', 'invalid', 'expired', 'failed'] as const)('of an event that ended %s arms it again', async (outcome) => {
    await db.ledger.inbox.receive([newEvent('1')]);
    const [first] = await db.ledger.inbox.claimForStart(starting);
    await db.ledger.inbox.markStarted([first!.rowId]);
    await close(outcome);
    expect(await db.ledger.inbox.receive([newEvent('1', { body: 'second', workflowId: 'orders/main/own' })])).toEqual(['rearmed']);
    expect(await rows('state, outcome, code, cause, closed_at, duplicates')).toEqual([
      { state: 'new', outcome: null, code: null, cause: null, closed_at: null, duplicates: 0 },
    ]);
    const [again] = await db.ledger.inbox.claimForStart(starting);
    expect(again).toMatchObject({
      rowId: first!.rowId,
      rearmed: true,
      workflowId: 'orders/main/own',
      event: { body: 'second', version: first!.event.version },
    });
    expect(await db.ledger.inbox.receive([newEvent('1')])).toEqual(['duplicate']);
  });

  test.each(['accepted', 'verified', 'skipped', 'superseded'] as const)(
    'of an event that ended %s is a duplicate, and brings no body back',
    async (outcome) => {
      await db.ledger.inbox.receive([newEvent('1')]);
      await close(outcome);
      expect(await db.ledger.inbox.receive([newEvent('1')])).toEqual(['duplicate']);
      expect(await rows('state, outcome, body, duplicates')).toEqual([{ state: 'closed', outcome, body: null, duplicates: 1 }]);
    },
  );

  test('of a failed event, at many gateways at once, arms it once', async () => {
    await db.ledger.inbox.receive([newEvent('1')]);
    await close('failed');
    const gateways = [db.ledger, db.another(), db.another()];
    const receipts = await Promise.all(Array.from({ length: 30 }, (_, index) => gateways[index % 3]!.inbox.receive([newEvent('1')])));
    expect(receipts.flat().filter((receipt) => receipt === 'rearmed')).toHaveLength(1);
    expect(receipts.flat().filter((receipt) => receipt === 'duplicate')).toHaveLength(29);
  });
});

describe('when the database is away', () => {
  test('refused connections are told at once, and it goes on by itself', async () => {
    const proxy = await severableProxy(db.url);
    const ledger = db.another({ connectionString: proxy.url });
    await ledger.inbox.receive([newEvent('1')]);
    proxy.refuse();
    const before = Date.now();
    await expect(ledger.inbox.receive([newEvent('2')])).rejects.toThrow();
    expect(Date.now() - before).toBeLessThan(1_000);
    await expect(ledger.ping()).rejects.toThrow();
    proxy.restore();
    expect(await ledger.inbox.receive([newEvent('2')])).toEqual(['new']);
    await ledger.close();
    await proxy.close();
  });

  test('a silent database is given up within 2 s, by those in a statement and those in the queue', async () => {
    const proxy = await severableProxy(db.url);
    const ledger = db.another({ connectionString: proxy.url });
    await ledger.inbox.receive([newEvent('1')]);
    proxy.freeze();
    const before = Date.now();
    const results = await Promise.allSettled(Array.from({ length: 1_000 }, (_, index) => ledger.inbox.receive([newEvent(`${index}`)])));
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1_000);
    expect(Date.now() - before).toBeLessThan(2_700);
    proxy.restore();
    expect(await ledger.inbox.receive([newEvent('after')])).toEqual(['new']);
    await ledger.close();
    await proxy.close();
  });
});
