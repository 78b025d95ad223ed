import { createTestLedger, newEvent, outcomeOf, type TestLedger } from '../test/support/ledger';

let db: TestLedger;
beforeAll(async () => (db = await createTestLedger()));
afterAll(() => db.drop());

const DAY = 86_400_000;

test('old closed rows go, first those whose body was dropped; open ones and the fence stay', async () => {
  const { ledger, pool } = db;
  await ledger.inbox.receive(['landed', 'failed', 'open', 'young'].map((id) => newEvent(id)));
  const request = {
    syncId: 'orders',
    vendor: 'hubspot',
    account: 'main',
    object: 'contact',
    keyHmac: 'h',
    version: { at: 1, arrival: 1 },
    mapVersion: 1,
    fields: ['a'],
    workflowId: 'w',
  };
  await ledger.fence.claim([request], { claimMs: 1_000 });
  await ledger.fence.confirm([{ ...request, claim: 1, landed: true }], [outcomeOf('landed'), outcomeOf('failed', { outcome: 'failed' })]);
  await pool.query(`update syncline.inbox set closed_at = closed_at - interval '10 days'`);
  await ledger.outcomes.record([outcomeOf('young')]);
  const left = async () => (await ledger.queries.runs({ limit: 9 })).map(({ eventId }) => eventId);

  expect(await ledger.prune({ olderThanMs: 11 * DAY })).toBe(0);
  expect(await ledger.prune({ olderThanMs: 9 * DAY })).toBe(1);
  expect(await left()).toEqual(['young', 'open', 'failed']);
  expect(await ledger.prune({ olderThanMs: 9 * DAY, failedOlderThanMs: 11 * DAY })).toBe(0);
  expect(await ledger.prune({ olderThanMs: 9 * DAY, failedOlderThanMs: 9 * DAY })).toBe(1);
  expect(await left()).toEqual(['young', 'open']);
  expect(await ledger.fence.claim([request], { claimMs: 1_000 })).toMatchObject([{ kind: 'landed' }]);
});

test('many rows go in several steps', async () => {
  const rows = Array.from({ length: 12_000 }, (_, index) => outcomeOf(`many-${index}`));
  await db.ledger.outcomes.record(rows);
  await db.pool.query(`update syncline.inbox set closed_at = closed_at - interval '10 days' where event_id like 'many%'`);
  expect(await db.ledger.prune({ olderThanMs: DAY })).toBe(12_000);
});
