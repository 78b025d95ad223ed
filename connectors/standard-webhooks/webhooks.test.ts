import { Webhook } from 'standardwebhooks';
import type { Json } from '../../schemas/json';
import { UnreadableDelivery, type RawRequest } from '../webhook';
import { standardWebhooks, svix } from './webhooks';

// Published by Svix and in the Standard Webhooks libraries' tests.
const SECRET = 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
const SECONDS = 1_614_265_330;
const SIGNATURE = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
const body = Buffer.from('{"test": 2432232314}');
const NOW = SECONDS * 1000;
const delivery = { method: 'POST', url: '', body, secret: SECRET, now: NOW, topic: 't', eventId: ID };

describe.each([
  ['webhook', standardWebhooks],
  ['svix', svix],
])('headers %s-*', (prefix, source) => {
  const request = (changes: Record<string, string> = {}): RawRequest => ({
    method: 'POST',
    url: 'https://hooks.example.com/webhooks/any',
    headers: {
      [`${prefix}-id`]: ID,
      [`${prefix}-timestamp`]: String(SECONDS),
      [`${prefix}-signature`]: SIGNATURE,
      ...changes,
    },
    body,
  });
  const verify = (changes: Record<string, string> = {}, secrets = [SECRET]) => source.verify(request(changes), { secrets, now: NOW });

  it('agree with the published example, whether or not the secret has its prefix', async () => {
    expect(verify()).toEqual({ ok: true });
    expect(verify({}, [`whsec_${SECRET}`])).toEqual({ ok: true });
    expect(await source.sign(delivery)).toMatchObject({ [`${prefix}-signature`]: SIGNATURE });
    expect(await source.sign({ ...delivery, secret: `whsec_${SECRET}` })).toMatchObject({
      [`${prefix}-signature`]: SIGNATURE,
    });
  });

  it('may list several signatures', () => {
    const other = 'Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=';
    expect(verify({ [`${prefix}-signature`]: `v1,${other} v2,${other} v1a,${other} ${SIGNATURE} v1,${other}` })).toEqual({ ok: true });
    expect(verify({ [`${prefix}-signature`]: SIGNATURE.replace('v1,', 'v2,') })).toMatchObject({
      reason: 'bad_signature',
    });
    expect(verify({ [`${prefix}-signature`]: SIGNATURE.replace('v1,', 'v1a,') })).toMatchObject({
      reason: 'bad_signature',
    });
  });

  it('cover id and time', () => {
    expect(verify({ [`${prefix}-id`]: 'msg_other' })).toMatchObject({ reason: 'bad_signature' });
    expect(verify({ [`${prefix}-timestamp`]: String(SECONDS + 1) })).toMatchObject({ reason: 'bad_signature' });
    expect(verify({ [`${prefix}-timestamp`]: 'hello' })).toMatchObject({ reason: 'bad_signature' });
    expect(verify({ [`${prefix}-id`]: '' })).toMatchObject({
      reason: 'missing_signature',
      detail: `header ${prefix}-id is missing`,
    });
    expect(verify({ [`${prefix}-timestamp`]: '' })).toMatchObject({ reason: 'missing_signature' });
  });

  it.each([[['not base64!']], [['whsec_']], [['whsec_@@', 'abc']], [[]]])('need a secret in base64, not %j', async (secrets) => {
    expect(verify({}, secrets)).toMatchObject({
      reason: 'bad_signature',
      detail: 'no usable signing secret is configured (base64, with or without whsec_)',
    });
    const sign = async () => source.sign({ ...delivery, secret: secrets[0] ?? '' });
    await expect(sign()).rejects.toThrow('the signing secret must be base64');
  });

  it('do not let one bad secret spoil a good one', () => {
    expect(verify({}, ['not base64!', SECRET])).toEqual({ ok: true });
  });

  it('give the id; the body gives topic and time', () => {
    const event = { type: 'contact.updated', timestamp: '2026-09-28T15:30:00.121Z', data: {} };
    expect(source.events(request(), event)).toEqual([{ id: ID, topic: 'contact.updated', occurredAt: Date.parse('2026-09-28T15:30:00.121Z'), body: event }]);
    expect(source.events(request(), { type: 't' })).toMatchObject([{ occurredAt: NOW }]);
    expect(source.events(request(), { type: 't', timestamp: 'today' })).toMatchObject([{ occurredAt: NOW }]);
  });

  it.each<Json>([[], null, {}, { type: 1 }])('refuse %j as an event', (json) => {
    expect(() => source.events(request(), json)).toThrow(UnreadableDelivery);
  });
});

describe('the reference library', () => {
  beforeEach(() => jest.useFakeTimers({ now: NOW })); // it reads the real clock
  afterEach(() => jest.useRealTimers());

  it.each([
    ['plain', '{"test": 2432232314}'],
    ['beyond ASCII', '{"name":"Zoë 🚚"}'],
    ['empty', ''],
    ['long', JSON.stringify({ text: 'x'.repeat(100_000) })],
  ])('verifies what we sign, and we what it signs: %s', async (_name, text) => {
    const library = new Webhook(SECRET);
    const headers = await standardWebhooks.sign({ ...delivery, body: Buffer.from(text) });
    expect(() => library.verify(text, headers, { jsonParse: false })).not.toThrow();
    const theirs = { ...headers, 'webhook-signature': library.sign(ID, new Date(NOW), text) };
    const request = { method: 'POST', url: '', headers: theirs, body: Buffer.from(text) };
    expect(standardWebhooks.verify(request, { secrets: [SECRET], now: NOW })).toEqual({ ok: true });
  });

  it.each([-301, -300, -1, 0, 300, 301])('agrees on a clock %d s off', async (seconds) => {
    const headers = await standardWebhooks.sign({ ...delivery, now: NOW + seconds * 1000 });
    const ours = standardWebhooks.verify({ method: 'POST', url: '', headers, body }, { secrets: [SECRET], now: NOW });
    const theirs = () => new Webhook(SECRET).verify(body, headers);
    if (Math.abs(seconds) <= 300) {
      expect(ours).toEqual({ ok: true });
      expect(theirs).not.toThrow();
    } else {
      expect(ours).toMatchObject({ reason: 'stale' });
      expect(theirs).toThrow('Message timestamp');
    }
  });
});
