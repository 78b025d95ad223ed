import { createStarter } from '../../client';
import { shopify } from '../../connectors/shopify/webhooks';
import { standardWebhooks } from '../../connectors/standard-webhooks/webhooks';
import { stripe } from '../../connectors/stripe/webhooks';
import type { RecordOutcome } from '../../schemas/outcome';
import shopCustomerToCrm from '../../syncs/shop-customer-to-crm/sync';
import { customerBody, keyHmac, startStack, type Stack } from '../support/stack';

jest.setTimeout(120_000);

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ name: 'fates', env: { SYNCLINE_LOST_CHECK_MS: '2000' } });
});
afterAll(() => stack?.stop());

let sent = 0;
/** Posts one customer and waits for its end; the run's line, and its result or the details of its failure. */
async function fateOf(body: unknown, topic = 'customers/update') {
  const eventId = `fate-${++sent}`;
  const answer = await stack.post('/webhooks/shopify/shop', shopify, topic, eventId, body);
  expect(answer.status).toBe(202);
  await stack.settled(sent);
  const [line] = (await stack.ledger.queries.runs({ limit: 1 })).filter((run) => run.eventId.includes(`${eventId}~`) || run.eventId.includes(eventId));
  const handle = stack.client.workflow.getHandle(line?.workflowId ?? '');
  const outcome = (await handle.result().catch((error: any) => error.cause.details[0])) as RecordOutcome;
  const description = await handle.describe();
  return { line, outcome, description, handle };
}

async function eventually<T>(ask: () => Promise<T>, good: (answer: T) => boolean, ms = 30_000): Promise<T> {
  for (const until = Date.now() + ms; ; await new Promise((resolve) => setTimeout(resolve, 100))) {
    const answer = await ask();
    if (good(answer)) return answer;
    if (Date.now() > until) throw new Error(`after ${ms} ms: ${JSON.stringify(answer)}`);
  }
}

describe('every fate over real HTTP, a real server and a real database', () => {
  test('accepted: history says what came in, what it was mapped to, the attempt, and what the vendor said', async () => {
    await fateOf(customerBody('first@example.com')); // a worker's first record waits for its first lease
    const { line, outcome, description, handle } = await fateOf(customerBody('ada@example.com'));
    expect(line).toMatchObject({ outcome: 'accepted', attempts: 1, hasBody: false, state: 'closed' });
    expect(outcome).toMatchObject({ outcome: 'accepted', attempts: [{ number: 1, status: 200, code: 'OK', batch: 1 }], resend: 'safe' });
    expect(description.status.name).toBe('COMPLETED');
    expect(description.searchAttributes).toMatchObject({
      SynclineSync: ['shop-customer-to-crm'],
      SynclineSource: ['shopify/shop'],
      SynclineAccount: ['hubspot/main'],
      SynclineOutcome: ['accepted'],
      SynclineKeys: [keyHmac.current('ada@example.com')],
    });
    expect(await description.staticSummary()).toBe('shopify customers/update → hubspot contacts.upsert');
    const { events } = await handle.fetchHistory();
    // Input and both markers are all it takes: a run that goes well costs no activity task and one workflow task.
    expect(events?.filter((event) => event.markerRecordedEventAttributes)).toHaveLength(2);
    expect(events?.filter((event) => event.workflowTaskCompletedEventAttributes)).toHaveLength(1);
  });

  test('skipped by the mapping, with its reason', async () => {
    const { line, description } = await fateOf(customerBody(null));
    expect(line).toMatchObject({ outcome: 'skipped', cause: 'the customer has no e-mail', attempts: 0 });
    expect(description.status.name).toBe('COMPLETED');
  });

  test('invalid: a contract violation is taken, never refused; field, expected, found; the body stays for a replay', async () => {
    const { line, outcome, description } = await fateOf(customerBody('bob@example.com', { first_name: 42 }));
    expect(line).toMatchObject({ outcome: 'invalid', code: 'CONTRACT_VIOLATION', cause: 'first_name: expected string, found number', hasBody: true });
    expect(outcome.violations).toEqual([{ field: 'first_name', expected: 'string', found: 'number' }]);
    expect(description.status.name).toBe('FAILED');
  });

  test('rejected: the vendor’s words in full in the run, masked in the ledger', async () => {
    await stack.hubspot.fault({
      kind: 'partial',
      emails: ['refused@example.com'],
      code: 'INVALID_EMAIL',
      message: 'Email address refused@example.com is invalid',
    });
    const { line, outcome } = await fateOf(customerBody('refused@example.com'));
    expect(line).toMatchObject({ outcome: 'rejected', code: 'INVALID_EMAIL', hasBody: true });
    expect(JSON.stringify(line)).not.toContain('refused@example.com');
    expect(JSON.stringify(outcome.vendorSaid)).toContain('refused@example.com');
  });

  test('a 429, then a 503, then it lands: each attempt with its wait', async () => {
    await stack.hubspot.fault([
      { kind: 'rateLimit', match: { email: 'limited@example.com' }, retryAfter: '1' },
      { kind: 'serverError', match: { email: 'limited@example.com' } },
    ]);
    const { line, outcome } = await fateOf(customerBody('limited@example.com'));
    expect(line).toMatchObject({ outcome: 'accepted', attempts: 3 });
    expect(outcome.attempts.map(({ status, code }) => [status, code])).toEqual([
      [429, 'RATE_LIMITED'],
      [503, 'UNAVAILABLE'],
      [200, 'OK'],
    ]);
    expect(outcome.attempts[0]?.waitMs).toBeGreaterThanOrEqual(1_000);
  });

  test('timeout after commit: ambiguous, sent again by the same run, one record', async () => {
    await stack.hubspot.fault({ kind: 'reset', commit: true, match: { email: 'lost-answer@example.com' } });
    const { outcome } = await fateOf(customerBody('lost-answer@example.com'));
    expect(outcome).toMatchObject({ outcome: 'accepted', attempts: [{ code: 'UNAVAILABLE', ambiguous: true }, { code: 'OK' }] });
    const records = (await stack.hubspot.records()).filter((record) => record.key === 'lost-answer@example.com');
    expect(records).toHaveLength(1);
  });

  test('200 that says nothing is not success', async () => {
    await stack.hubspot.fault({ kind: 'emptyResult', match: { email: 'empty@example.com' } });
    const { outcome } = await fateOf(customerBody('empty@example.com'));
    expect(outcome.attempts.map(({ code }) => code)).toEqual(['MISSING_RESULT', 'OK']);
  });

  test('superseded: an older version after a newer one landed', async () => {
    const newer = await fateOf(customerBody('versions@example.com', { first_name: 'New', updated_at: '2026-11-22T12:00:00Z' }));
    const older = await fateOf(customerBody('versions@example.com', { first_name: 'Old', updated_at: '2026-11-22T11:00:00Z' }));
    expect(newer.line?.outcome).toBe('accepted');
    expect(older.line).toMatchObject({ outcome: 'superseded', attempts: 0 });
    const record = (await stack.hubspot.records()).find((one) => one.key === 'versions@example.com');
    expect(record.properties.firstname).toBe('New');
  });

  test('failed: attempts used up though the vendor is up for others', async () => {
    await stack.hubspot.fault({ kind: 'serverError', match: { email: 'poison@example.com' }, times: 'forever' });
    const { line, outcome } = await fateOf(customerBody('poison@example.com'));
    expect(line).toMatchObject({ outcome: 'failed', code: 'UNAVAILABLE', attempts: 5, hasBody: true });
    expect(outcome.attempts).toHaveLength(5);
    await stack.hubspot.clearFaults();
  });

  test('an event no sync wants is acknowledged and counted as ignored', async () => {
    const answer = await stack.post('/webhooks/shopify/shop', shopify, 'products/update', 'ignored-1', { id: 1 });
    expect(answer).toMatchObject({ status: 200, body: { received: 1, ignored: 1, duplicates: 0 } });
    expect(await stack.ledger.queries.door()).toContainEqual(expect.objectContaining({ source: 'shopify', account: 'shop', reason: 'ignored', count: 1 }));
  });

  test('a bad signature is refused with 401 and counted', async () => {
    const answer = await stack.post('/webhooks/shopify/shop', shopify, 'customers/update', 'forged', customerBody('eve@example.com'), (headers) => {
      headers['x-shopify-hmac-sha256'] = 'AAAA';
    });
    expect(answer.status).toBe(401);
    expect(answer.body).toMatchObject({ code: expect.any(String), message: expect.any(String), next: expect.any(String) });
  });

  test('enrichment: the score when it comes in time, first-party data when not, and the outcome says which', async () => {
    const signup = (id: string, email: string) => ({ type: 'signup.completed', timestamp: new Date().toISOString(), data: { customer_id: id, email } });
    await stack.post('/webhooks/signup-to-crm', standardWebhooks, 'signup.completed', 'signup-1', signup('c-1', 'scored@example.com'));
    await stack.settled(++sent);
    await stack.leadscore.fault({ kind: 'serverError' });
    await stack.post('/webhooks/signup-to-crm', standardWebhooks, 'signup.completed', 'signup-2', signup('c-2', 'unscored@example.com'));
    await stack.settled(++sent);
    const records = await stack.hubspot.records();
    expect(records.find((one) => one.key === 'scored@example.com').properties.lead_score).toMatch(/^\d+$/);
    expect(records.find((one) => one.key === 'unscored@example.com').properties.lead_score).toBeUndefined();
    const lines = await stack.ledger.queries.runs({ syncId: 'signup-to-crm', limit: 2 });
    expect(lines.map((line) => [line.eventId.includes('signup-2'), line.fallback]).sort()).toEqual([
      [false, false],
      [true, true],
    ]);
  });

  test('two syncs write different fields of one contact', async () => {
    await fateOf(customerBody('both@example.com'));
    await stack.post('/webhooks/stripe/billing', stripe, 'customer.updated', 'evt_both', {
      id: 'evt_both',
      object: 'event',
      type: 'customer.updated',
      created: Math.floor(Date.now() / 1000),
      data: { object: { id: 'cus_1', object: 'customer', email: 'both@example.com', name: 'Ada', delinquent: true } },
    });
    await stack.settled(++sent);
    const record = (await stack.hubspot.records()).find((one) => one.key === 'both@example.com');
    expect(record.properties).toMatchObject({ firstname: 'Ada', stripe_customer_id: 'cus_1', billing_delinquent: 'true' });
  });

  test('startSync: straight to Temporal, the same id, the ledger knows the end', async () => {
    const starter = createStarter({ client: stack.client });
    const event = { id: 'direct-1', topic: 'customers/update', occurredAt: Date.now(), body: customerBody('direct@example.com') as never };
    const first = await starter.startSync(shopCustomerToCrm, event);
    expect(first).toMatchObject({ workflowId: 'shop-customer-to-crm/shop/direct-1', duplicate: false });
    expect(await first.handle.result()).toMatchObject({ outcome: 'accepted' });
    expect(await starter.startSync(shopCustomerToCrm, event)).toMatchObject({ duplicate: true });
    const [line] = await stack.ledger.queries.runs({ id: first.workflowId, limit: 5 });
    expect(line).toMatchObject({ outcome: 'accepted', eventId: 'direct-1' });
    sent++;
  });

  test('a run that is terminated is found and booked as RUN_LOST; its redelivery lands', async () => {
    await stack.hubspot.fault({ kind: 'timeoutBeforeCommit', match: { email: 'lost@example.com' }, times: 'forever' });
    const body = customerBody('lost@example.com');
    await stack.post('/webhooks/shopify/shop', shopify, 'customers/update', 'lost-1', body);
    const [line] = await eventually(
      () => stack.ledger.queries.runs({ outcome: 'open', limit: 1 }),
      (lines) => lines[0]?.state === 'started',
    );
    await stack.client.workflow.getHandle(line?.workflowId ?? '').terminate('an operator');
    const [lost] = await eventually(
      () => stack.ledger.queries.runs({ id: line?.workflowId ?? '', limit: 1 }),
      (lines) => lines[0]?.outcome === 'failed',
    );
    expect(lost).toMatchObject({ code: 'RUN_LOST', hasBody: true });
    await stack.hubspot.clearFaults();
    await stack.post('/webhooks/shopify/shop', shopify, 'customers/update', 'lost-1', body);
    await stack.settled(++sent);
    const [landed] = await stack.ledger.queries.runs({ id: line?.workflowId ?? '', limit: 1 });
    expect(landed).toMatchObject({ outcome: 'accepted' });
  });

  test('received = sum of outcomes, and nothing personal outside payloads', async () => {
    const funnel = await stack.ledger.queries.funnel();
    const received = funnel.reduce((sum, line) => sum + line.received, 0);
    const ended = funnel.reduce((sum, line) => sum + Object.values(line.outcomes).reduce((a, b) => a + (b ?? 0), 0), 0);
    expect(received).toBe(sent);
    expect(ended).toBe(sent);
    const lists = JSON.stringify([await stack.ledger.queries.runs({ limit: 100 }), funnel, await stack.ledger.queries.door()]);
    expect(lists).not.toMatch(/[a-z-]+@example\.com/);
  });
});
