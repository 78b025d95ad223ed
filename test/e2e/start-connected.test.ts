import path from 'node:path';
import { shopify } from '../../connectors/shopify/webhooks';
import { sandboxSecret } from '../../platform/secrets';
import { spawnStart, startFolder, type StartProcess } from '../support/start-process';
import { customerBody, startStack, type Stack } from '../support/stack';

jest.setTimeout(180_000);

const folder = startFolder();
let stack: Stack;
let running: StartProcess | undefined;
beforeAll(async () => {
  // A Temporal, a database and vendors that are there already; the worker is the one that `npm start` brings.
  stack = await startStack({ name: 'connected', workers: 0 });
});
afterAll(async () => {
  running?.child.kill('SIGKILL');
  await running?.ended;
  await stack?.stop();
  folder.remove();
});

const env = (): Record<string, string> => ({ ...stack.env, SYNCLINE_STATE_DIR: path.join(folder.path, 'state') });

/** What an operator has set up on the server, and `npm start` must leave alone. */
async function serverFacts(): Promise<unknown> {
  const { connection } = stack.client;
  const { namespace } = stack;
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const { schedules } = await connection.workflowService.listSchedules({ namespace });
  return JSON.parse(JSON.stringify({ retention: config?.workflowExecutionRetentionTtl, customAttributes, schedules: schedules?.length ?? 0 }));
}

test('with TEMPORAL_ADDRESS: gateway and worker against what is there, no samples, nothing changed', async () => {
  const before = await serverFacts();
  running = spawnStart(['--json'], env());
  const ready = JSON.parse((await running.said('stdout', '\n')).split('\n')[0]!) as { ready: boolean; gatewayUrl: string };
  expect(ready.ready).toBe(true);

  const url = `${ready.gatewayUrl}/webhooks/shop-customer-to-crm`;
  const body = Buffer.from(JSON.stringify(customerBody('connected@example.com')));
  const secret = sandboxSecret('SYNCLINE_SHOPIFY_SHOP_WEBHOOK_SECRET');
  const signed = await shopify.sign({ method: 'POST', url, body, secret, now: Date.now(), topic: 'customers/update', eventId: 'connected-1' });
  const answer = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json', ...signed } });
  expect(answer.status).toBe(202);
  // One event was sent, and one is there: no samples.
  expect(await stack.settled(1)).toEqual({ accepted: 1 });
  expect(await serverFacts()).toEqual(before);

  running.child.kill('SIGINT');
  expect((await running.ended).code).toBe(0);
  expect(await folder.processes()).toEqual([]);
});

test('a namespace that is not there: named, with what to do; nothing is started', async () => {
  const { code, stdout, stderr } = await spawnStart(['--json'], { ...env(), TEMPORAL_NAMESPACE: 'no-such-namespace' }).ended;
  expect({ code, stdout: stdout.includes('"ready"') }).toEqual({ code: 1, stdout: false });
  expect(stderr).toContain('no-such-namespace');
  expect(stderr).toContain('nothing was started, nothing was changed');
});

test('nobody at the address: exit 3', async () => {
  const { code, stderr } = await spawnStart(['--json'], { ...env(), TEMPORAL_ADDRESS: '127.0.0.1:9' }).ended;
  expect(code).toBe(3);
  expect(stderr).toContain('127.0.0.1:9');
});
