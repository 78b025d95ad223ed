import { newEvent, outcomeOf, createTestLedger, type TestLedger } from '../test/support/ledger';

let test_: TestLedger;
beforeEach(async () => (test_ = await createTestLedger()));
afterEach(() => test_.drop());

const starting = { owner: 'starter-1', limit: 100, claimMs: 60_000, backlogAfterMs: 60_000 };

test('an event is received once, claimed with its body, started and closed', async () => {
  const { ledger, pool } = test_;
  expect(await ledger.inbox.receive([newEvent('1'), newEvent('2', { occurredAt: null })])).toEqual(['new', 'new']);
  const [first, second] = await ledger.inbox.claimForStart(starting);
  expect(first).toMatchObject({
    syncId: 'orders',
    workflowId: 'orders/main/1',
    rearmed: false,
    event: { id: '1', source: 'shopify', account: 'main', topic: 'orders/create', version: { at: 1_760_000_000_123 }, body: { id: '1', note: 'Grüße' } },
  });
  expect(first?.event.receivedAt).toBe(new Date(Math.floor((first?.event.version.arrival ?? 0) / 1000)).toISOString());
  expect(Math.abs(Date.now() - Date.parse(first?.event.receivedAt ?? ''))).toBeLessThan(10_000);
  expect(second?.event.version.at).toBe(Math.floor((second?.event.version.arrival ?? 0) / 1000));
  expect(second?.event.version.arrival).toBe((first?.event.version.arrival ?? 0) + 1);

  await ledger.inbox.markStarted([first!.rowId]);
  expect(await ledger.inbox.backlog()).toMatchObject({ rows: 1 });
  await ledger.outcomes.record([outcomeOf('1')]);
  const { rows } = await pool.query(`select state, outcome, body, key_hmacs, closed_at is not null as closed from syncline.inbox order by id`);
  expect(rows).toMatchObject([
    { state: 'closed', outcome: 'accepted', body: null, key_hmacs: ['hmac-1'], closed: true },
    { state: 'claimed', outcome: null },
  ]);
});
