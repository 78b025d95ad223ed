import { createHash } from 'node:crypto';
import { shopify } from '../../connectors/shopify/webhooks';
import { recordSyncType, startOptions } from '../../platform/start-options';
import { sandboxSecret } from '../../platform/secrets';
import type { AttemptEnd, RecordOutcome } from '../../schemas/outcome';
import { compilePlan } from '../../syncs/define-sync';
import shopCustomerToCrm from '../../syncs/shop-customer-to-crm/sync';
import { eventRuns, historyFacts, readHistory, until } from '../support/chaos-collect';
import { customer, testSeed } from '../support/chaos-events';
import { FakeProvider, workflowIdOf, type ProviderEvent } from '../support/chaos-provider';
import { startStack, type Stack } from '../support/stack';

jest.setTimeout(180_000);
const KB = 1_000;
const MiB = 1024 * 1024;

let stack: Stack;
let provider: FakeProvider;
let rows = 0;

beforeAll(async () => {
  stack = await startStack({ name: 'payload', env: { SYNCLINE_LOG_LEVEL: 'warn' } });
  provider = new FakeProvider({ gatewayUrl: () => stack.gatewayUrl(), giveUpAfterMs: 0, timeoutMs: 15_000 });
});
afterEach(() => stack.hubspot.clearFaults());
afterAll(() => stack?.stop());

/** Text that no codec makes smaller than three quarters, the same for the same seed. */
function incompressible(length: number, seed: number): string {
  let text = '';
  for (let block = 0; text.length < length; block++) text += createHash('sha512').update(`${testSeed} ${seed} ${block}`).digest('base64');
  return text.slice(0, length);
}

/** A customer whose contract-valid fields are as given. */
function customerWith(n: number, fields: Record<string, unknown>): { event: ProviderEvent; id: string; email: string } {
  const email = `payload-${n}@example.com`;
  const event = customer(n, email, n);
  Object.assign(event.body, fields);
  return { event, id: workflowIdOf(event), email };
}

/** The same, its body made up to exactly `bytes` by a field that is not mapped. */
function customerOf(n: number, bytes: number): ReturnType<typeof customerWith> {
  const length = (tags: string) => Buffer.byteLength(JSON.stringify({ ...customerWith(n, { tags }).event.body }));
  return customerWith(n, { tags: incompressible(bytes - length(''), n) });
}

const lineOf = async (id: string) => (await stack.ledger.queries.runs({ id, limit: 10 }))[0];
const recordOf = async (email: string) => (await stack.hubspot.records()).find(({ key }) => key === email);

/** Every workflow task went through at its first attempt, nothing was terminated, and the history stays small. */
async function expectCalm(workflowId: string): Promise<{ outcome: RecordOutcome | null; bytes: number }> {
  const handle = stack.client.workflow.getHandle(workflowId);
  // The ledger knows the outcome a moment before the run closes.
  await handle.result().catch(() => undefined);
  const description = await handle.describe();
  expect(['COMPLETED', 'FAILED']).toContain(description.status.name);
  const { outcome, interruptions } = await historyFacts(stack, { workflowId, runId: description.runId });
  expect({ workflowId, interruptions }).toEqual({ workflowId, interruptions: 0 });
  const events = await readHistory(stack, { workflowId });
  expect(events.filter(({ type }) => /workflowTask(Failed|TimedOut)/.test(type))).toEqual([]);
  expect(events.length).toBeLessThan(60);
  return { outcome, bytes: Number(description.historySize ?? 0) };
}

describe('bodies', () => {
  test('1 MiB, incompressible: taken and delivered', async () => {
    const { event, id, email } = customerOf(1, MiB);
    expect(Buffer.byteLength(JSON.stringify(event.body))).toBe(MiB);
    expect(await provider.post(event)).toMatchObject({ status: 202 });
    expect(await stack.settled((rows += 1))).toMatchObject({ accepted: 1 });
    expect((await expectCalm(id)).bytes).toBeLessThan(2 * MiB);
    expect(await recordOf(email)).toMatchObject({ properties: { firstname: 'First-1' } });
  });

  test('one byte more: 413 that names the limit, and nothing is kept', async () => {
    const { event, id } = customerOf(2, MiB + 1);
    const body = Buffer.from(JSON.stringify(event.body));
    const url = `${stack.gatewayUrl()}/webhooks/shopify/shop`;
    const secret = sandboxSecret('SYNCLINE_SHOPIFY_SHOP_WEBHOOK_SECRET');
    const headers = { ...(await shopify.sign({ method: 'POST', url, body, secret, now: Date.now(), topic: event.topic, eventId: event.eventId })) };
    const answer = await fetch(url, { method: 'POST', headers, body });
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ code: 'BODY_TOO_LARGE', message: expect.stringContaining(String(MiB)), next: expect.any(String) });
    expect(await lineOf(id)).toBeUndefined();
    await until('the refusal is counted', async () => (await stack.ledger.queries.door()).some(({ reason }) => reason === 'body_too_large'));
  });
});

describe('records of 900 KB', () => {
  test('incompressible: delivered in one call, byte for byte', async () => {
    const first_name = incompressible(900 * KB, 10);
    const { event, id, email } = customerWith(10, { first_name });
    await provider.post(event);
    await stack.settled((rows += 1));
    expect((await expectCalm(id)).outcome).toMatchObject({ outcome: 'accepted', attempts: [{ number: 1, status: 200 }] });
    expect((await recordOf(email))?.properties.firstname === first_name).toBe(true);
  });

  test('the vendor fails four times: five attempts, one activity, one history that stays below 4 MB', async () => {
    const { event, id, email } = customerWith(11, { first_name: incompressible(900 * KB, 11) });
    await stack.hubspot.fault({ kind: 'serverError', match: { email }, times: 4 });
    await provider.post(event);
    await stack.settled((rows += 1));
    const { outcome, bytes } = await expectCalm(id);
    expect(outcome).toMatchObject({ outcome: 'accepted' });
    expect(outcome?.attempts.map(({ status }) => status)).toEqual([503, 503, 503, 503, 200]);
    expect(bytes).toBeLessThan(4 * MiB);
  });

  test('attempts used up: failed, and the failure itself is small', async () => {
    const { event, id, email } = customerWith(12, { first_name: incompressible(900 * KB, 12) });
    await stack.hubspot.fault({ kind: 'status', status: 500, body: { message: 'x '.repeat(MiB) }, match: { email }, times: 5 });
    await provider.post(event);
    await stack.settled((rows += 1));
    const { outcome, bytes } = await expectCalm(id);
    expect(outcome).toMatchObject({ outcome: 'failed' });
    expect(outcome?.attempts).toHaveLength(5);
    expect(bytes).toBeLessThan(4 * MiB);
  });

  test('refused in words that hold no code: rejected at the first attempt, cause short', async () => {
    const { event, id, email } = customerWith(13, { first_name: incompressible(900 * KB, 13) });
    const errors = [
      { status: 'error', category: 'VALIDATION_ERROR', message: 'The value is longer than 65536 characters', context: { objectWriteTraceId: ['1'] } },
    ];
    await stack.hubspot.fault({
      kind: 'status',
      status: 207,
      body: { status: 'COMPLETE', results: [], numErrors: 1, errors },
      match: { email },
      times: 'forever',
    });
    await provider.post(event);
    await stack.settled((rows += 1));
    const { outcome } = await expectCalm(id);
    expect(outcome).toMatchObject({
      outcome: 'rejected',
      code: 'VALIDATION_ERROR',
      cause: expect.stringContaining('longer than 65536'),
      attempts: [{ number: 1 }],
    });
  });
});

test('a record larger than a call may be: invalid, and the cause names both sizes', async () => {
  // Compressible, so that it gets through Temporal; past the gateway, which takes no such body.
  const { event } = customerWith(20, { first_name: 'a'.repeat(1.5 * MiB) });
  const plan = compilePlan(shopCustomerToCrm);
  const at = Date.now();
  const options = startOptions(plan, {
    ...{ id: event.eventId, source: 'shopify', account: 'shop', topic: event.topic, receivedAt: new Date(at).toISOString() },
    ...{ version: { at, arrival: at * 1_000 }, body: event.body as never },
  });
  const handle = await stack.client.workflow.start(recordSyncType, options);
  await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'RECORD_TOO_LARGE' } });
  rows += 1;
  expect((await expectCalm(options.workflowId)).outcome).toMatchObject({ outcome: 'invalid', code: 'RECORD_TOO_LARGE' });
  const line = await lineOf(options.workflowId);
  expect(line).toMatchObject({ outcome: 'invalid', code: 'RECORD_TOO_LARGE' });
  expect(line?.cause).toMatch(/has 15\d{5} bytes; contacts\.upsert takes at most 1048576/);
});

test.each([
  ['3 MB: larger than one payload', 3],
  ['6 MB: larger than one request', 6],
])('an event Temporal does not take (%s): failed once, the cause names a size', async (_name, megabytes) => {
  // A receiver of the user's own may take larger bodies than our gateway.
  const eventId = `too-large-${megabytes}`;
  const workflowId = `shop-customer-to-crm/shop/${eventId}`;
  await stack.ledger.inbox.receive([
    {
      ...{ syncId: 'shop-customer-to-crm', source: 'shopify', account: 'shop', topic: 'customers/update', eventId, workflowId, occurredAt: null },
      body: { ...customer(30, 'large@example.com', 30).body, tags: incompressible(megabytes * 1.4 * 1_000_000, megabytes) },
    },
  ]);
  await stack.settled((rows += 1));
  const line = await lineOf(workflowId);
  expect(line).toMatchObject({ outcome: 'failed', code: 'START_REFUSED', hasBody: true });
  expect(line?.cause).toMatch(/\d{7}/);
});

describe('wide batches', () => {
  /** Sends `count` customers of `bytes` each while the vendor takes no calls, so that they leave together. */
  async function together(from: number, count: number, bytes: number): Promise<AttemptEnd[]> {
    // A first record meets a 429, which closes the gate for a while.
    const opener = customerWith(from, {});
    await stack.hubspot.fault({ kind: 'rateLimit', retryAfter: '10', match: { email: opener.email } });
    await provider.post(opener.event);
    const all = Array.from({ length: count }, (_, n) => customerWith(from + 1 + n, { first_name: incompressible(bytes, from + n) }));
    for (let next = 0; next < count; next += 20) {
      const posts = await Promise.all(all.slice(next, next + 20).map(({ event }) => provider.post(event)));
      expect(posts.map(({ status }) => status)).toEqual(posts.map(() => 202));
    }
    await stack.settled((rows += count + 1));
    const ends: AttemptEnd[] = [];
    for (const { id, email, event } of all) {
      const { outcome } = await expectCalm(id);
      expect(outcome?.outcome).toBe('accepted');
      expect((await recordOf(email))?.properties.firstname === event.body['first_name']).toBe(true);
      ends.push(...(outcome?.attempts ?? []));
    }
    return ends;
  }

  test('100 records of 9 KB share few calls', async () => {
    const before = (await stack.hubspot.stats()).calls;
    const ends = await together(100, 100, 9 * KB);
    const widest = Math.max(...ends.map(({ batch }) => batch));
    process.stderr.write(`100 of 9 KB: widest call ${widest}, ${(await stack.hubspot.stats()).calls - before} calls\n`);
    expect(widest).toBeGreaterThanOrEqual(30);
  });

  test('60 records of 40 KB: calls are cut by bytes', async () => {
    const ends = await together(300, 60, 40 * KB);
    const widest = Math.max(...ends.map(({ batch }) => batch));
    expect(widest * 40 * KB).toBeLessThanOrEqual(MiB);
    expect(widest).toBeGreaterThanOrEqual(10);
  });
});

test('nothing in this namespace was terminated, and no worker ended', async () => {
  for await (const { workflowId, status } of stack.client.workflow.list(eventRuns))
    expect([workflowId, status.name]).toEqual([workflowId, expect.stringMatching(/^(COMPLETED|FAILED)$/)]);
  for (const worker of stack.workers) expect(await Promise.race([worker.exited, Promise.resolve('alive')])).toBe('alive');
});
