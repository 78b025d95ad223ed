import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { shopify } from '../../connectors/shopify/webhooks';
import { runCli } from '../support/run-cli';
import { customerBody, startStack, type Stack } from '../support/stack';

jest.setTimeout(120_000);

let stack: Stack;
let receiver: Server;
/** Alerts as the webhook got them. */
const posted: any[] = [];
beforeAll(async () => {
  receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      posted.push(JSON.parse(body));
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/alerts`;
  stack = await startStack({ name: 'budget-commands', workers: 2, env: { SYNCLINE_ALERT_WEBHOOK_URL: url } });
});
afterAll(async () => {
  await stack?.stop();
  receiver?.close();
});

const syncline = (...args: string[]) => runCli(stack.env, ...args);

let sent = 0;
/** Posts a customer; its workflow's id once its run has started. */
async function post(name: string): Promise<string> {
  const eventId = `budget-${++sent}`;
  expect((await stack.post('/webhooks/shop-customer-to-crm', shopify, 'customers/update', eventId, customerBody(`${name}@example.com`))).status).toBe(202);
  return eventually(
    async () =>
      (await stack.ledger.queries.runs({ limit: 50 })).find((line) => line.eventId.includes(`${eventId}~`) && line.state !== 'new' && line.state !== 'claimed')
        ?.workflowId,
    (id) => id !== undefined,
  ) as Promise<string>;
}

async function eventually<T>(ask: () => Promise<T>, good: (answer: T) => boolean, ms = 20_000): Promise<T> {
  for (const until = Date.now() + ms; ; await delay(200)) {
    const answer = await ask();
    if (good(answer)) return answer;
    if (Date.now() > until) throw new Error(`after ${ms} ms: ${JSON.stringify(answer)}`);
  }
}

const landed = async (name: string) => (await stack.hubspot.records()).some(({ key }) => key === `${name}@example.com`);
const oneBudget = async () => (await syncline('budget', 'hubspot/main', '--json')).json.budgets[0].view;

test('budget: windows with used, left and others’ use, who spent it, what each sync can expect', async () => {
  await post('first');
  await stack.settled(sent);
  // What was spent is told with the next renewal.
  const view = await eventually(oneBudget, ({ spenders }) => spenders.some(({ today }: any) => today === 1));
  const { code, out } = await syncline('budget', 'hubspot/main');
  expect(code).toBe(0);
  expect(out).toMatch(/hubspot\/main {2}open/);
  expect(out).toMatch(/DAILY +1 d +\d+ \(\d+ %\) +\d+ +625000/);
  expect(out).toMatch(/shop-customer-to-crm +live +1 /);
  expect(view).toMatchObject({ state: 'open', offPeak: null, breaker: { state: 'closed' }, shares: { 'shop-customer-to-crm': 0.4 } });
  expect(view.spenders.find(({ sync }: any) => sync === 'shop-customer-to-crm')).toMatchObject({
    lane: 'live',
    today: 1,
    perMinute: expect.any(Number),
    waitMs: 0,
    held: false,
  });
  expect(view.windows.find(({ name }: any) => name === 'DAILY').startsAnewMs).toBeGreaterThan(0);
  expect((await syncline('budget', 'nope')).code).toBe(2);
});

test('explain: a finished run, and an id that nobody knows', async () => {
  const id = await post('finished');
  await stack.settled(sent);
  const { code, out } = await syncline('explain', id);
  expect(code).toBe(0);
  expect(out).toContain('it ended `accepted`; it waits for nothing');
  const { json } = await syncline('explain', 'finished@example.com', '--json');
  expect(json).toMatchObject({ workflowId: id, cause: 'finished', outcome: 'accepted', sync: 'shop-customer-to-crm', lane: 'live' });
  const unknown = await syncline('explain', 'shop-customer-to-crm/shop/nothing');
  expect(unknown.code).toBe(1);
  expect(unknown.err).toMatch(/nothing is known under this id[\s\S]+next: +npx syncline runs/);
});

test('pause and resume act within seconds; explain names the pause and the way out; nothing is tried meanwhile', async () => {
  expect((await syncline('budget', 'pause', 'hubspot/main', 'all')).code).toBe(0);
  await delay(3_000); // every lease that did not know is renewed by now
  const id = await post('paused');
  await delay(6_000);
  expect(await landed('paused')).toBe(false);
  // Each look costs history events: one by the fast path, and one in the hands of a worker whose poll was out already.
  const { events } = await stack.client.workflow.getHandle(id).fetchHistory();
  expect(events!.filter((event) => event.activityTaskScheduledEventAttributes).length).toBeLessThanOrEqual(1);
  // Still open: the ledger doesn't know its key yet, Temporal does.
  expect((await syncline('explain', 'paused@example.com', '--json')).json).toMatchObject({ workflowId: id, status: 'running', cause: 'paused' });
  const { code, out } = await syncline('explain', id);
  expect(code).toBe(0);
  expect(out).toMatch(/an operator paused it/);
  expect(out).toMatch(/next +npx syncline budget resume hubspot\/main all/);
  const shown = await syncline('budget', 'hubspot/main');
  expect(shown.code).toBe(1);
  expect(shown.out).toMatch(/paused by an operator[\s\S]+changed by an operator: all paused/);
  expect((await stack.hubspot.stats()).byStatus['429'] ?? 0).toBe(0);

  expect(await syncline('budget', 'resume', 'hubspot/main', 'sync:nope')).toMatchObject({ code: 2, err: expect.stringContaining('no sync "nope"') });

  const resumed = Date.now();
  expect((await syncline('budget', 'resume', 'hubspot/main', 'all')).code).toBe(0);
  // At once from the queue; up to 20 s if it waits for its next look in its workflow.
  await eventually(() => landed('paused'), Boolean, 25_000);
  expect(Date.now() - resumed).toBeLessThan(25_000);
  await stack.settled(sent);
  const [line] = await stack.ledger.queries.runs({ id, limit: 1 });
  expect(line).toMatchObject({ outcome: 'accepted', attempts: 1 });
});

test('one sync paused: its records wait in their workflows and say so; the others’ go', async () => {
  await syncline('budget', 'pause', 'hubspot/main', 'sync:shop-customer-to-crm');
  await delay(3_000);
  const id = await post('held-back');
  const order = {
    id: 1,
    email: 'orders@example.com',
    total_price: '10.00',
    currency: 'EUR',
    created_at: new Date().toISOString(),
    updated_at: new Date().toISOString(),
  };
  const answer = await stack.post('/webhooks/shop-order-to-crm', shopify, 'orders/create', 'order-1', {
    ...order,
    name: '#1',
    customer: { email: 'orders@example.com' },
  });
  expect(answer.status).toBe(202);
  sent++;
  await eventually(() => landed('orders'), Boolean);
  expect(await landed('held-back')).toBe(false);
  const { json } = await eventually(
    () => syncline('explain', id, '--json'),
    ({ json: found }) => found.cause === 'paused' && found.until !== null,
  );
  expect(json).toMatchObject({
    status: 'running',
    next: 'npx syncline budget resume hubspot/main sync:shop-customer-to-crm',
    behind: ['hubspot/main: sync:shop-customer-to-crm paused'],
  });
  expect(Date.parse(json.until) - Date.now()).toBeLessThan(60_000);
  await syncline('budget', 'resume', 'hubspot/main', 'sync:shop-customer-to-crm');
  await eventually(() => landed('held-back'), Boolean, 40_000);
  await stack.settled(sent);
});

test('share and priority: in force at once, refused with words when they can’t be, taken back with none', async () => {
  const tooMuch = await syncline('budget', 'share', 'hubspot/main', 'shop-order-to-crm', '80%');
  expect(tooMuch.code).toBe(2);
  expect(tooMuch.err).toMatch(/guaranteed shares sum to 1.5, more than 1/);
  expect((await syncline('budget', 'share', 'hubspot/main', 'shop-order-to-crm', '10%')).code).toBe(0);
  expect((await oneBudget()).shares['shop-order-to-crm']).toBeCloseTo(0.1);
  expect((await syncline('budget', 'hubspot/main')).out).toMatch(/changed by an operator: share of shop-order-to-crm set to 10 %/);
  expect((await syncline('budget', 'share', 'hubspot/main', 'shop-order-to-crm', 'lots')).err).toContain('a part such as 0.3 or 30%');

  expect((await syncline('budget', 'priority', 'hubspot/main', 'shop-customer-to-crm', 'urgent')).code).toBe(2);
  await syncline('budget', 'priority', 'hubspot/main', 'shop-customer-to-crm', 'replay');
  await syncline('budget', 'pause', 'hubspot/main', 'lane:replay');
  await delay(3_000);
  const id = await post('demoted');
  await delay(4_000);
  expect(await landed('demoted')).toBe(false);
  const { out } = await syncline('budget', 'hubspot/main');
  expect(out).toMatch(/lane:replay paused, shop-customer-to-crm served as replay/);
  await syncline('budget', 'priority', 'hubspot/main', 'shop-customer-to-crm', 'none');
  await eventually(() => landed('demoted'), Boolean, 40_000);
  await syncline('budget', 'resume', 'hubspot/main', 'all');
  await syncline('budget', 'share', 'hubspot/main', 'shop-order-to-crm', 'none');
  expect((await oneBudget()).shares['shop-order-to-crm']).toBeCloseTo(0.3);
  await stack.settled(sent);
  expect((await syncline('explain', id, '--json')).json).toMatchObject({ cause: 'finished', outcome: 'accepted' });
});

test('explain: a record between two attempts says when the next is, and what the last met', async () => {
  await stack.hubspot.fault({ kind: 'rateLimit', retryAfter: '15', match: { email: 'refused@example.com' } });
  const id = await post('refused');
  const { json, code } = await eventually(
    () => syncline('explain', id, '--json'),
    ({ json: found }) => found?.cause === 'backoff',
  );
  expect(code).toBe(0);
  expect(json).toMatchObject({ status: 'running', approximate: false, behind: [expect.stringContaining('RATE_LIMITED')] });
  expect(Date.parse(json.until) - Date.now()).toBeLessThan(15_000);
  expect(await oneBudget()).toMatchObject({ state: 'paused' });
  const meanwhile = await post('meanwhile');
  await stack.settled(sent);
  // The pause cost this record one attempt, and those that came meanwhile none.
  expect((await stack.ledger.queries.runs({ id, limit: 1 }))[0]).toMatchObject({ outcome: 'accepted', attempts: 2 });
  expect((await stack.ledger.queries.runs({ id: meanwhile, limit: 1 }))[0]).toMatchObject({ outcome: 'accepted', attempts: 1 });
  const view = await oneBudget();
  expect(view.spenders.find(({ sync }: any) => sync === 'shop-customer-to-crm')).toMatchObject({ refused: 1 });
  expect([...view.windows.map(({ name, refused }: any) => [name, refused]), ['none', view.refusedUnnamed]]).toContainEqual(['TEN_SECONDLY_ROLLING', 1]);
});

test('a day at 70 % by the vendor’s own headers: one alert whatever number of workers; then it is spent, and explain says until when', async () => {
  expect(posted).toEqual([]);
  // The vendor's plan turns out to be smaller than declared: what was spent so far is nearly all of it.
  const spent = (await stack.hubspot.stats()).calls;
  await stack.hubspot.configure({ limits: { DAILY: { max: spent + 4 } } });
  for (let more = 0; more < 3; more++) {
    await post(`daily-${more}`);
    await stack.settled(sent);
  }
  await eventually(
    async () => posted.length,
    (count) => count > 0,
  );
  expect(posted[0]).toMatchObject({ kind: 'high', budget: 'hubspot/main', window: 'DAILY', text: expect.stringContaining('hubspot/main: DAILY is at') });
  const { code, out } = await syncline('budget', 'hubspot/main');
  expect(out).toMatch(/DAILY.+high/);
  expect([0, 1]).toContain(code);
  // One after the other, so that each is a call of its own: soon nothing is left for one of them.
  let waiting: any;
  for (let last = 0; !waiting && last < 6; last++) {
    const id = await post(`last-${last}`);
    const { json } = await eventually(
      () => syncline('explain', id, '--json'),
      ({ json: found }) => ['budget', 'finished'].includes(found?.cause),
    );
    if (json.cause === 'budget') waiting = json;
  }
  expect([waiting.why, ...waiting.behind].join()).toMatch(/nothing is left of DAILY/);
  expect(Date.parse(waiting.until)).toBeGreaterThan(Date.now());
  expect(waiting.approximate).toBe(true);
  expect(posted).toHaveLength(1);
});

test('no worker runs: a change is not refused, it is unanswered, and says so with exit 3', async () => {
  await Promise.all(stack.workers.map((worker) => worker.stop()));
  const { code, err } = await syncline('budget', 'pause', 'hubspot/main', 'lane:replay');
  expect(code).toBe(3);
  expect(err).toMatch(/does not answer; the change may still take effect once a worker runs/);
  expect((await syncline('budget', 'hubspot/main')).code).toBe(3);
});
