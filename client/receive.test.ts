import type { Json } from '../schemas/json';
import { createReceiver, type Delivery, type Receiver, type ReceiverOptions } from './receive';
import { bodyTooLarge } from './receiver/body';
import { routeOf } from './receiver/routes';
import { acme, acmeDelivery, acmeSecret, acmeShop, acmeSyncs, acmeUrl } from './testing/acme';
import { createFakeInbox } from './testing/fake-inbox';

const created = (id: string): { [key: string]: Json } => ({ id, topic: 'thing.created', email: 'ada@example.com' });
const updated = (id: string): { [key: string]: Json } => ({ id, topic: 'thing.updated' });

function setUp(options: Partial<ReceiverOptions> = {}) {
  const inbox = createFakeInbox();
  const logged: unknown[] = [];
  const log = {
    warn: (...parts: unknown[]) => void logged.push(parts),
    error: (...parts: unknown[]) => void logged.push(parts),
  };
  const receiver = createReceiver({
    syncs: acmeSyncs,
    inbox,
    secrets: () => [acmeSecret],
    publicUrl: acmeUrl,
    log,
    ...options,
  });
  return { inbox, receiver, logged };
}

async function send(receiver: Receiver, path: string, events: Json, change: Partial<Delivery> & { secret?: string; now?: number } = {}) {
  const { secret, now, ...rest } = change;
  const signed = await acmeDelivery(path, events, { ...(secret ? { secret } : {}), ...(now ? { now } : {}) });
  return receiver.receive({ method: 'POST', url: path, route: routeOf(path), ...signed, ...rest });
}

describe('events that are taken', () => {
  test('one event to one sync', async () => {
    const { inbox, receiver } = setUp();
    const answer = await send(receiver, '/webhooks/things-to-crm', created('1'));
    expect(answer).toEqual({
      status: 202,
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: {
        code: 'ACCEPTED',
        message: '1 run committed',
        next: 'npx syncline trace "things-to-crm/shop/1"',
        received: 1,
        duplicates: 0,
        ignored: 0,
        runs: [{ syncId: 'things-to-crm', eventId: '1', workflowId: 'things-to-crm/shop/1', receipt: 'new' }],
      },
    });
    expect([...inbox.rows.values()]).toEqual([
      {
        syncId: 'things-to-crm',
        source: 'acme',
        account: 'shop',
        eventId: '1',
        topic: 'thing.created',
        occurredAt: null,
        body: created('1'),
        workflowId: 'things-to-crm/shop/1',
      },
    ]);
  });

  test("a source account's path fans out to every sync that wants the topic", async () => {
    const { inbox, receiver } = setUp();
    const answer = await send(receiver, '/webhooks/acme/shop', [created('1'), updated('2')]);
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ received: 2, duplicates: 0, ignored: 0 });
    expect([...inbox.rows.keys()]).toEqual(['things-to-crm/shop/1', 'new-things-to-ads/shop/1', 'things-to-crm/shop/2']);
  });

  test('the rows of a delivery are committed together', async () => {
    const { inbox, receiver } = setUp();
    const calls: number[] = [];
    const { receive } = inbox;
    inbox.receive = (events) => (calls.push(events.length), receive(events));
    await send(receiver, '/webhooks/acme/shop', [created('1'), created('2'), updated('3')]);
    expect(calls).toEqual([5]);
  });

  test('a redelivery is a duplicate; after a failed run it is armed again', async () => {
    const { inbox, receiver } = setUp();
    const path = '/webhooks/things-to-crm';
    await send(receiver, path, created('1'));
    const again = await send(receiver, path, created('1'));
    expect([again.status, again.body.code, again.body.duplicates]).toEqual([200, 'DUPLICATE', 1]);
    inbox.failed('things-to-crm/shop/1');
    const rearmed = await send(receiver, path, created('1'));
    expect([rearmed.status, rearmed.body.code, rearmed.body.runs?.[0]?.receipt]).toEqual([202, 'ACCEPTED', 'rearmed']);
  });

  test('both paths lead to the same run', async () => {
    const { receiver } = setUp();
    await send(receiver, '/webhooks/acme/shop', updated('1'));
    expect((await send(receiver, '/webhooks/things-to-crm', updated('1'))).body.code).toBe('DUPLICATE');
  });

  test('an id that comes twice in a delivery is one event', async () => {
    const { inbox, receiver } = setUp();
    const answer = await send(receiver, '/webhooks/things-to-crm', [created('1'), created('1')]);
    expect(answer.body).toMatchObject({ code: 'ACCEPTED', received: 2, duplicates: 1, message: '1 run committed' });
    expect(inbox.rows.size).toBe(1);
  });

  test('what no sync wants is counted before the answer', async () => {
    const { inbox, receiver } = setUp();
    const ignored = await send(receiver, '/webhooks/acme/shop', { id: '1', topic: 'thing.deleted' });
    expect([ignored.status, ignored.body.code, ignored.body.ignored]).toEqual([200, 'IGNORED', 1]);
    expect(inbox.door.get('* acme/shop ignored')).toBe(1);
    const mixed = await send(receiver, '/webhooks/new-things-to-ads', [created('2'), updated('3'), updated('4')]);
    expect(mixed.body).toMatchObject({ code: 'ACCEPTED', received: 3, ignored: 2 });
    expect(inbox.door.get('new-things-to-ads acme/shop ignored')).toBe(2);
  });

  test('an empty array is answered 2xx', async () => {
    const answer = await send(setUp().receiver, '/webhooks/acme/shop', []);
    expect([answer.status, answer.body.received]).toEqual([200, 0]);
  });

  test('a body that breaks the contract is taken: the run says so', async () => {
    const answer = await send(setUp().receiver, '/webhooks/things-to-crm', {
      id: '1',
      topic: 'thing.created',
      email: 42,
    });
    expect(answer.status).toBe(202);
  });

  test('a rotated secret still signs', async () => {
    const { receiver } = setUp({ secrets: () => ['the-new-secret', acmeSecret] });
    expect((await send(receiver, '/webhooks/things-to-crm', created('1'))).status).toBe(202);
  });

  test('the public address is the signed one, whatever the request says', async () => {
    const { receiver } = setUp();
    const path = '/webhooks/things-to-crm';
    expect((await send(receiver, path, created('1'), { url: `http://10.0.0.7:8080${path}` })).status).toBe(202);
    const local = setUp({ publicUrl: () => 'https://elsewhere.example.com/' });
    expect((await send(local.receiver, path, created('1'))).body.code).toBe('BAD_SIGNATURE');
  });
});

describe('refusals', () => {
  const path = '/webhooks/things-to-crm';
  const cases: [string, number, (receiver: Receiver) => Promise<unknown>][] = [
    ['UNKNOWN_SYNC', 404, (receiver) => send(receiver, '/webhooks/nothing', created('1'))],
    ['UNKNOWN_SOURCE', 404, (receiver) => send(receiver, '/webhooks/acme/nobody', created('1'))],
    ['UNKNOWN_PATH', 404, (receiver) => send(receiver, path, created('1'), { route: null })],
    ['METHOD_NOT_ALLOWED', 405, (receiver) => send(receiver, path, created('1'), { method: 'GET' })],
    ['UNSUPPORTED_CONTENT_TYPE', 415, (receiver) => send(receiver, path, created('1'), { headers: { 'content-type': 'text/plain' } })],
    ['UNSUPPORTED_CONTENT_TYPE', 415, (receiver) => send(receiver, path, created('1'), { headers: {} })],
    [
      'UNSUPPORTED_CONTENT_TYPE',
      415,
      (receiver) =>
        send(receiver, path, created('1'), {
          headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
        }),
    ],
    [
      'BODY_TOO_LARGE',
      413,
      (receiver) =>
        send(receiver, path, created('1'), {
          headers: { 'content-type': 'application/json', 'content-length': '2000000' },
        }),
    ],
    ['BODY_TOO_LARGE', 413, (receiver) => send(receiver, path, 'x'.repeat(1024 * 1024))],
    ['BODY_TOO_LARGE', 413, (receiver) => send(receiver, path, created('1'), { body: (max) => Promise.reject(bodyTooLarge(max)) })],
    ['MISSING_SIGNATURE', 401, (receiver) => send(receiver, path, created('1'), { headers: { 'content-type': 'application/json' } })],
    ['BAD_SIGNATURE', 401, (receiver) => send(receiver, path, created('1'), { secret: 'another' })],
    ['BAD_SIGNATURE', 401, (receiver) => send(receiver, path, created('1'), { body: Buffer.from('{"id":"2"}') })],
    ['STALE', 401, (receiver) => send(receiver, path, created('1'), { now: Date.now() - 3_600_000 })],
    ['UNREADABLE_DELIVERY', 400, (receiver) => send(receiver, path, 'text')],
    ['UNREADABLE_DELIVERY', 400, (receiver) => send(receiver, path, { topic: 'thing.created' })],
    ['UNREADABLE_DELIVERY', 400, (receiver) => send(receiver, path, created('a\0b'))],
    ['UNREADABLE_DELIVERY', 400, (receiver) => send(receiver, path, created('half \ud83d'))],
  ];

  test.each(cases)('%s is %i, with message and next step, counted, without a row', async (code, status, act) => {
    const { inbox, receiver } = setUp();
    const answer = (await act(receiver)) as Awaited<ReturnType<Receiver['receive']>>;
    expect([answer.body.code, answer.status]).toEqual([code, status]);
    expect(answer.body.message.length).toBeGreaterThan(10);
    expect(answer.body.next.length).toBeGreaterThan(10);
    await receiver.drain();
    expect(inbox.rows.size).toBe(0);
    expect([...inbox.door.entries()]).toEqual([[expect.stringMatching(new RegExp(` ${code.toLowerCase()}$`)), 1]]);
  });

  test('a signed body that is not JSON', async () => {
    const { receiver } = setUp();
    const body = Buffer.from('{"id":');
    const headers = await acme.sign({
      method: 'POST',
      url: acmeUrl + path,
      body,
      secret: acmeSecret,
      now: Date.now(),
      topic: '',
      eventId: '',
    });
    expect(await receiver.receive({ method: 'POST', url: path, route: routeOf(path), headers, body })).toMatchObject({
      status: 400,
      body: { code: 'UNREADABLE_JSON' },
    });
  });

  test('an unknown path is counted without what the request called it', async () => {
    const { inbox, receiver } = setUp();
    for (const name of ['a', 'b', 'c']) await send(receiver, `/webhooks/${name}`, created('1'));
    await receiver.drain();
    expect([...inbox.door.entries()]).toEqual([['* unknown/ unknown_sync', 3]]);
  });

  test("a missing secret is our fault: 503, with the variable's name", async () => {
    const { receiver } = setUp({ secrets: () => [] });
    expect(await send(receiver, path, created('1'))).toMatchObject({
      status: 503,
      body: { code: 'SECRET_UNUSABLE', message: `${acmeShop.secretVariable} is not usable` },
    });
  });

  test('a source that throws is answered 500, and the log says why', async () => {
    const broken = {
      ...acmeShop,
      source: { ...acmeShop.source, verify: () => Promise.reject(new Error('verify broke')) },
    };
    const [sync] = acmeSyncs;
    if (!sync) throw new Error('no sync');
    const { receiver, logged } = setUp({ syncs: [{ ...sync, on: { ...sync.on, account: broken } }] });
    expect((await send(receiver, path, created('1'))).body.code).toBe('RECEIVER_ERROR');
    await receiver.drain();
    expect(JSON.stringify(logged)).toContain('deliveries could not be taken');
  });

  test('neither log nor answers hold bodies, signatures or secrets', async () => {
    const { receiver, logged } = setUp();
    const answers = [await send(receiver, path, created('1'), { secret: 'another-signing-secret' }), await send(receiver, path, 'ada@example.com')];
    await receiver.drain();
    const text = JSON.stringify([logged, answers]);
    expect(text).toContain('bad_signature');
    for (const secret of ['ada@example.com', acmeSecret, 'another-signing-secret']) expect(text).not.toContain(secret);
    expect(text).not.toMatch(/[0-9a-f]{64}/);
  });
});

describe('when the inbox can not keep up', () => {
  const path = '/webhooks/things-to-crm';

  test('unreachable: 503 with Retry-After, and counted once it is back', async () => {
    const { inbox, receiver, logged } = setUp();
    inbox.before = () => Promise.reject(new Error('connection refused'));
    const answer = await send(receiver, path, created('1'));
    expect([answer.status, answer.headers['retry-after'], answer.body.code]).toEqual([503, '10', 'INBOX_UNREACHABLE']);
    await receiver.drain();
    expect(inbox.door.size).toBe(0);
    inbox.before = () => Promise.resolve();
    await receiver.drain();
    expect([...inbox.door.entries()]).toEqual([['things-to-crm acme/shop inbox_unreachable', 1]]);
    expect(JSON.stringify(logged)).toContain('inbox_unreachable');
  });

  test('an inbox that loses count is not believed', async () => {
    const { inbox, receiver } = setUp();
    inbox.receive = () => Promise.resolve([]);
    expect((await send(receiver, path, created('1'))).body.code).toBe('INBOX_UNREACHABLE');
  });

  test('ignored events that could not be counted are not acknowledged', async () => {
    const { inbox, receiver } = setUp();
    inbox.before = () => Promise.reject(new Error('connection refused'));
    expect((await send(receiver, path, { id: '1', topic: 'thing.deleted' })).status).toBe(503);
  });

  test('slow: 503 in time, the insert still commits, the repeat is a duplicate', async () => {
    const late: boolean[] = [];
    const metrics = { answered: () => undefined, events: () => undefined, inFlight: () => undefined };
    const { inbox, receiver } = setUp({
      limits: { answerWithinMs: 30 },
      metrics: { ...metrics, late: ({ committed }) => void late.push(committed) },
    });
    let commit = (): void => undefined;
    inbox.before = () => new Promise((resolve) => (commit = resolve));
    const answer = await send(receiver, path, created('1'));
    expect([answer.status, answer.body.code]).toEqual([503, 'INBOX_SLOW']);
    inbox.before = () => Promise.resolve();
    commit();
    await receiver.drain();
    expect([inbox.rows.size, late]).toEqual([1, [true]]);
    expect((await send(receiver, path, created('1'))).body.code).toBe('DUPLICATE');
  });

  test('more than may be in flight: 503 at once, and again room when they end', async () => {
    const { inbox, receiver } = setUp({ limits: { maxInFlight: 2 } });
    let commit = (): void => undefined;
    const held = new Promise<void>((resolve) => (commit = resolve));
    inbox.before = () => held;
    const first = send(receiver, path, created('1'));
    const second = send(receiver, path, created('2'));
    const third = await send(receiver, path, created('3'));
    expect([third.status, third.body.code, third.headers['retry-after']]).toEqual([503, 'OVERLOADED', '10']);
    commit();
    expect([(await first).status, (await second).status]).toEqual([202, 202]);
    expect((await send(receiver, path, created('3'))).status).toBe(202);
  });

  test('what was answered late still counts as in flight', async () => {
    const { inbox, receiver } = setUp({ limits: { maxInFlight: 1, answerWithinMs: 20 } });
    let commit = (): void => undefined;
    inbox.before = () => new Promise((resolve) => (commit = resolve));
    expect((await send(receiver, path, created('1'))).body.code).toBe('INBOX_SLOW');
    expect((await send(receiver, path, created('2'))).body.code).toBe('OVERLOADED');
    inbox.before = () => Promise.resolve();
    commit();
    await receiver.drain();
    expect((await send(receiver, path, created('2'))).status).toBe(202);
  });

  test('bytes are bounded as well', async () => {
    const { receiver } = setUp({ limits: { maxInFlightBytes: 50 } });
    expect((await send(receiver, path, created('1'))).body.code).toBe('OVERLOADED');
  });

  test('an inbox at its bound', async () => {
    const { receiver } = setUp({ inboxFull: () => true });
    expect(await send(receiver, path, created('1'))).toMatchObject({ status: 503, body: { code: 'INBOX_FULL' } });
  });

  test('a body that does not come', async () => {
    const { receiver } = setUp({ limits: { bodyTimeoutMs: 20 } });
    const answer = await send(receiver, path, created('1'), { body: () => new Promise(() => undefined) });
    expect([answer.status, answer.body.code]).toEqual([408, 'BODY_TIMEOUT']);
  });
});

describe('routes', () => {
  test.each([
    ['/webhooks/a', { syncId: 'a' }],
    ['/webhooks/a/', { syncId: 'a' }],
    ['/webhooks/a?x=/webhooks/b', { syncId: 'a' }],
    ['/webhooks/shopify/main', { source: 'shopify', account: 'main' }],
    ['/api/webhooks/shopify/ma%20in#x', { source: 'shopify', account: 'ma in' }],
    ['https://host/webhooks/a', { syncId: 'a' }],
    ['/webhooks/a/b/c', null],
    ['/webhooks/', null],
    ['/webhooks/%E0%A4%A', null],
    ['/other/a', null],
    ['/other?x=/webhooks/b', null],
  ])('%s', (path, route) => {
    expect(routeOf(path)).toEqual(route);
  });

  test('two syncs of one id are refused', () => {
    const [sync] = acmeSyncs;
    expect(() => setUp({ syncs: sync ? [sync, sync] : [] })).toThrow('two syncs have the id "things-to-crm"');
  });
});
