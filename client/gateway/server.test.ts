import { Agent, request as httpRequest } from 'node:http';
import { createReceiver } from '../receive';
import { acmeDelivery, acmeSecret, acmeSyncs, acmeUrl } from '../testing/acme';
import { createFakeInbox } from '../testing/fake-inbox';
import { createGatewayMetrics } from './metrics';
import { createMonitor } from './monitor';
import { createGateway } from './server';

const path = '/webhooks/things-to-crm';
const event = (id: string) => ({ id, topic: 'thing.created' });
const silent = { info: () => undefined, warn: () => undefined };

/** A gateway on a free port, with switches for what it depends on. */
async function setUp() {
  const inbox = createFakeInbox();
  const world = { database: true, temporal: true, full: false, backlog: { rows: 3, oldestAgeMs: 4500 } };
  const answer = (up: boolean): Promise<void> => (up ? Promise.resolve() : Promise.reject(new Error('refused')));
  const metrics = createGatewayMetrics();
  const monitor = createMonitor({
    ledger: { ping: () => answer(world.database), inbox: { backlog: () => Promise.resolve(world.backlog) } },
    pingTemporal: () => answer(world.temporal),
    onChecked: (now) => metrics.surroundings(now),
    log: silent,
    everyMs: 10,
    timeoutMs: 50,
  });
  const inboxFull = () => world.full;
  const receiver = createReceiver({
    syncs: acmeSyncs,
    inbox,
    secrets: () => [acmeSecret],
    publicUrl: acmeUrl,
    inboxFull,
    metrics: metrics.receiver,
  });
  const gateway = createGateway({ receiver, monitor, metrics, inboxFull });
  await monitor.start();
  const { url } = await gateway.listen({ host: '127.0.0.1', port: 0 });
  const close = async () => {
    monitor.stop();
    await gateway.close();
  };
  return { inbox, world, url, close, monitor };
}

async function post(url: string, id: string): Promise<Response> {
  const { headers, body } = await acmeDelivery(path, event(id));
  return fetch(url + path, { method: 'POST', headers, body: new Uint8Array(body) });
}

const jsonAt = async (url: string) => {
  const response = await fetch(url);
  return [response.status, await response.json()] as const;
};

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('webhooks over HTTP, of any content type', async () => {
  const { inbox, url, close } = await setUp();
  expect((await post(url, '1')).status).toBe(202);
  expect((await post(url, '1')).status).toBe(200);
  expect(inbox.rows.size).toBe(1);
  const refused = async (headers: Record<string, string>, body = 'x') => (await fetch(url + path, { method: 'POST', headers, body })).status;
  expect(await refused({ 'content-type': 'not a type' })).toBe(415);
  expect(await refused({ 'content-type': 'application/json' })).toBe(401);
  expect((await fetch(url + path)).headers.get('allow')).toBe('POST');
  expect((await fetch(`${url}/webhooks/a/b/c`, { method: 'POST' })).status).toBe(404);
  await close();
});

test('healthz, readyz and unknown paths', async () => {
  const { url, world, close } = await setUp();
  expect(await jsonAt(`${url}/healthz`)).toEqual([200, { status: 'alive' }]);
  const backlog = { rows: 3, oldestAgeMs: 4500 };
  expect(await jsonAt(`${url}/readyz`)).toEqual([200, { ready: true, state: 'ready', database: 'up', temporal: 'up', backlog }]);

  const settled = async (status: number, facts: object) => {
    await until(async () => JSON.stringify((await jsonAt(`${url}/readyz`))[1]).includes(JSON.stringify(facts).slice(1, -1)));
    expect((await jsonAt(`${url}/readyz`))[0]).toBe(status);
  };
  world.temporal = false; // not the providers' problem
  await settled(200, { temporal: 'down' });
  world.database = false;
  await settled(503, { state: 'inbox unreachable' });
  world.database = true;
  await settled(200, { state: 'ready' });
  world.full = true;
  expect((await jsonAt(`${url}/readyz`))[1]).toMatchObject({ ready: false, state: 'inbox full' });
  expect((await post(url, '1')).status).toBe(503);
  expect(await jsonAt(`${url}/nothing`)).toEqual([404, expect.objectContaining({ code: 'UNKNOWN_PATH' })]);
  await close();
});

test('metrics: answers by code and source, events, backlog', async () => {
  const { url, close } = await setUp();
  await post(url, '1');
  await post(url, '1');
  await fetch(`${url}/webhooks/whatever-it-says`, { method: 'POST' });
  const response = await fetch(`${url}/metrics`);
  expect(response.headers.get('content-type')).toContain('text/plain');
  const text = await response.text();
  for (const line of [
    'syncline_gateway_answers_total{status="202",code="ACCEPTED",source="acme"} 1',
    'syncline_gateway_answers_total{status="200",code="DUPLICATE",source="acme"} 1',
    'syncline_gateway_answers_total{status="404",code="UNKNOWN_SYNC",source="unknown"} 1',
    'syncline_gateway_events_total{sync="things-to-crm",receipt="new"} 1',
    'syncline_gateway_answer_seconds_count{source="acme"} 2',
    'syncline_inbox_backlog_rows 3',
    'syncline_inbox_backlog_age_seconds 4.5',
    'syncline_gateway_up{part="database"} 1',
    'syncline_gateway_in_flight 0',
  ]) {
    expect(text).toContain(line);
  }
  expect(text).not.toContain('whatever-it-says');
  await close();
});

test('close: what is under way is answered and committed, idle connections end, nothing new is taken', async () => {
  const { inbox, url, close } = await setUp();
  const agent = new Agent({ keepAlive: true });
  const { headers, body } = await acmeDelivery(path, event('1'));
  const send = () =>
    new Promise<{ status: number | undefined; connection: string | undefined }>((resolve, reject) => {
      const request = httpRequest(url + path, { method: 'POST', headers, agent }, (response) => {
        response.resume().on('end', () => resolve({ status: response.statusCode, connection: response.headers.connection }));
      });
      request.on('error', reject).end(body);
    });
  expect(await send()).toEqual({ status: 202, connection: 'keep-alive' });

  let commit = (): void => undefined;
  let waiting = false;
  inbox.before = () => {
    waiting = true;
    return new Promise((resolve) => (commit = resolve));
  };
  const underWay = send();
  await until(() => waiting);
  const closed = close();
  await until(async () => (await fetch(`${url}/healthz`).catch(() => null)) === null);
  inbox.before = () => Promise.resolve();
  commit();
  expect((await underWay).status).toBe(200);
  await closed;
  await expect(send()).rejects.toThrow(/ECONNREFUSED|socket hang up|ECONNRESET/); // the last two on a kept connection
  agent.destroy();
});
