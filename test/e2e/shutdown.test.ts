import { setTimeout as delay } from 'node:timers/promises';
import { shopify } from '../../connectors/shopify/webhooks';
import { customerBody, startStack, type Stack } from '../support/stack';

jest.setTimeout(120_000);

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ name: 'shutdown' });
});
afterAll(() => stack?.stop());

test('a worker told to stop finishes what it sent, gives back what it did not, and the next one goes on', async () => {
  const post = (id: string) => stack.post('/webhooks/shop-customer-to-crm', shopify, 'customers/update', id, customerBody(`${id}@example.com`));
  // The first one waits for the budget: all that came meanwhile would leave in one call.
  await post('drain-first');
  await stack.settled(1);
  // Calls take a second and a half: some are under way and more wait when the worker is told to stop.
  await stack.hubspot.configure({ latencyMs: 1_500 });
  const events = ['drain-first', ...Array.from({ length: 60 }, (_, index) => `drain-${index}`)];
  for (const id of events.slice(1)) await post(id);
  const until = Date.now() + 20_000;
  while ((await stack.hubspot.stats()).calls < 3 && Date.now() < until) await delay(50);
  await stack.workers[0]?.stop(30_000);
  expect((await stack.workers[0]?.exited)?.code).toBe(0);
  await stack.hubspot.configure({ latencyMs: 0 });
  await stack.startWorker();

  expect(await stack.settled(events.length)).toEqual({ accepted: events.length });
  const records = await stack.hubspot.records();
  expect(records).toHaveLength(events.length);
  // Drained, not cut off: nothing was sent twice.
  expect(records.filter((record) => record.version !== 1).map((record) => record.key)).toEqual([]);
});

test('a gateway told to stop answers what it took; every 2xx is in the inbox', async () => {
  const before = (await stack.ledger.queries.funnel()).reduce((sum, line) => sum + line.received, 0);
  const posts = Array.from({ length: 200 }, (_, index) =>
    stack.post('/webhooks/shop-customer-to-crm', shopify, 'customers/update', `gate-${index}`, customerBody(`gate-${index}@example.com`)).then(
      ({ status }) => status,
      () => 'no answer' as const,
    ),
  );
  await delay(20);
  await stack.gateway.stop(10_000);
  const statuses = await Promise.all(posts);
  expect((await stack.gateway.exited).code).toBe(0);
  const taken = statuses.filter((status) => status === 202).length;
  const received = (await stack.ledger.queries.funnel()).reduce((sum, line) => sum + line.received, 0) - before;
  expect(received).toBeGreaterThanOrEqual(taken);
  expect(new Set(statuses)).toEqual(new Set([...statuses].filter((status) => status === 202 || status === 503 || status === 'no answer')));
});
