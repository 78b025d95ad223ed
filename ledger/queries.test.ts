import { createTestLedger, newEvent, outcomeOf, type TestLedger } from '../test/support/ledger';
import type { RunFilter } from '.';

let db: TestLedger;
beforeAll(async () => {
  db = await createTestLedger();
  const { inbox, outcomes } = db.ledger;
  await inbox.receive(['waits', 'runs', 'lands', 'fails', 'fails-too', 'skips'].map((id) => newEvent(id)));
  await inbox.receive([newEvent('lands'), newEvent('lands'), newEvent('other', { syncId: 'invoices' })]);
  const claimed = await inbox.claimForStart({ owner: 'x', limit: 100, claimMs: 60_000, backlogAfterMs: 60_000 });
  await inbox.markStarted(claimed.filter(({ event }) => event.id !== 'waits').map(({ rowId }) => rowId));
  await outcomes.record([
    outcomeOf('lands', { keyHmacs: ['h:ada', 'h:42'] }),
    outcomeOf('fails', { outcome: 'rejected', code: 'NO_SUCH_PROPERTY', cause: 'There is no property named vip.', keyHmacs: ['h:ada'] }),
    outcomeOf('fails-too', { outcome: 'rejected', code: 'NO_SUCH_PROPERTY', keyHmacs: ['h:bob'] }),
    outcomeOf('skips', { outcome: 'skipped', code: 'NO_EMAIL', keyHmacs: [] }),
  ]);
});
afterAll(() => db.drop());

const ids = async (filter: Partial<RunFilter>) => (await db.ledger.queries.runs({ limit: 100, ...filter })).map(({ eventId }) => eventId);

test.each<[string, Partial<RunFilter>, string[]]>([
  ['everything, newest first', {}, ['other', 'skips', 'fails-too', 'fails', 'lands', 'runs', 'waits']],
  ['the newest', { limit: 2 }, ['other', 'skips']],
  ['one sync', { syncId: 'invoices' }, ['other']],
  ['still open', { outcome: 'open' }, ['other', 'runs', 'waits']],
  ['an outcome', { outcome: 'rejected' }, ['fails-too', 'fails']],
  ['an outcome that only runs of many have', { outcome: 'held' }, []],
  ['a finding', { outcome: 'missing' }, []],
  ['a code', { code: 'NO_EMAIL' }, ['skips']],
  ['any of the keys', { keyHmacs: ['h:ada', 'h:nobody'] }, ['fails', 'lands']],
  ['no key at all', { keyHmacs: [] }, []],
  ['an event id', { id: 'lands' }, ['lands']],
  ['a workflow id', { id: 'orders/main/lands' }, ['lands']],
  ['a part of an id', { id: 'land' }, []],
  ['a text with quotes', { id: `' or true --`, code: `"'` }, []],
  ['since now', { sinceMs: Date.now() + 60_000 }, []],
  ['since a minute ago', { sinceMs: Date.now() - 60_000, outcome: 'skipped' }, ['skips']],
  ['all parts together', { syncId: 'orders', outcome: 'rejected', code: 'NO_SUCH_PROPERTY', keyHmacs: ['h:ada'] }, ['fails']],
])('runs: %s', async (_, filter, expected) => expect(await ids(filter)).toEqual(expected));

test('a line says all there is to say', async () => {
  expect(await db.ledger.queries.runs({ id: 'fails', limit: 1 })).toEqual([
    {
      syncId: 'orders',
      source: 'shopify',
      account: 'main',
      eventId: 'fails',
      topic: 'orders/create',
      workflowId: 'orders/main/fails',
      receivedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      state: 'closed',
      outcome: 'rejected',
      finding: null,
      code: 'NO_SUCH_PROPERTY',
      cause: 'There is no property named vip.',
      attempts: 1,
      duplicates: 0,
      fallback: false,
      hasBody: true,
      closedAt: expect.stringMatching(/Z$/),
    },
  ]);
});

test('counts by outcome and code', async () => {
  expect(await db.ledger.queries.counts({ syncId: 'orders' })).toEqual([
    { outcome: 'open', code: null, count: 2 },
    { outcome: 'rejected', code: 'NO_SUCH_PROPERTY', count: 2 },
    { outcome: 'accepted', code: null, count: 1 },
    { outcome: 'skipped', code: 'NO_EMAIL', count: 1 },
  ]);
});

test('the funnel adds up: received = outcomes + open', async () => {
  const funnels = await db.ledger.queries.funnel();
  expect(funnels).toEqual([
    { syncId: 'invoices', received: 1, duplicates: 0, waitingToStart: 0, running: 1, outcomes: {}, findings: {}, causes: [] },
    {
      syncId: 'orders',
      received: 6,
      duplicates: 2,
      waitingToStart: 1,
      running: 1,
      outcomes: { accepted: 1, rejected: 2, skipped: 1 },
      findings: {},
      causes: [
        { outcome: 'rejected', code: 'NO_SUCH_PROPERTY', count: 2 },
        { outcome: 'skipped', code: 'NO_EMAIL', count: 1 },
      ],
    },
  ]);
  for (const funnel of funnels) {
    const ended = Object.values(funnel.outcomes).reduce((sum, count) => sum + count, 0);
    expect(funnel.received).toBe(ended + funnel.waitingToStart + funnel.running);
  }
});

test('the raw event, until its body is dropped', async () => {
  expect(await db.ledger.queries.event('orders/main/fails')).toMatchObject({ id: 'fails', body: { id: 'fails' }, version: { at: 1_760_000_000_123 } });
  expect(await db.ledger.queries.event('orders/main/lands')).toBeNull();
  expect(await db.ledger.queries.event('nobody')).toBeNull();
});

test('what landed of a record', async () => {
  const request = {
    syncId: 'orders',
    vendor: 'hubspot',
    account: 'main',
    object: 'contact',
    keyHmac: 'h:ada',
    version: { at: 7, arrival: 1_760_000_000_000_001 },
    mapVersion: 2,
    fields: ['a'],
    workflowId: 'w',
  };
  await db.ledger.fence.claim([request, { ...request, keyHmac: 'h:bob' }], { claimMs: 1_000 });
  await db.ledger.fence.confirm([{ ...request, claim: 1, landed: true, vendorId: '501' }], []);
  const { syncId, vendor, account, object, version, mapVersion } = request;
  expect(await db.ledger.queries.landed(['h:ada', 'h:bob', 'h:nobody'])).toEqual([
    { syncId, vendor, account, object, version, mapVersion, vendorId: '501', landedAt: expect.stringMatching(/Z$/) },
  ]);
});

test('counts at the door, from two gateways at once', async () => {
  const gateways = [db.ledger, db.another()];
  const count = { syncId: 'orders', source: 'shopify', account: 'main', reason: 'ignored', events: 2 };
  await Promise.all(Array.from({ length: 200 }, (_, index) => gateways[index % 2]!.inbox.countAtDoor(count)));
  await db.ledger.inbox.countAtDoor({ ...count, syncId: null, reason: 'bad-signature', events: 3 });
  expect(await db.ledger.queries.door()).toEqual([
    { syncId: 'orders', source: 'shopify', account: 'main', reason: 'ignored', count: 400 },
    { syncId: null, source: 'shopify', account: 'main', reason: 'bad-signature', count: 3 },
  ]);
});
