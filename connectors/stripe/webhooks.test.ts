import type { Json } from '../../schemas/json';
import { hmac } from '../hmac-signature';
import { UnreadableDelivery, type RawRequest } from '../webhook';
import { stripe } from './webhooks';

const SECRET = 'whsec_test_secret';
const SECONDS = 1_790_609_400;
const body = Buffer.from('{"id":"evt_test_webhook","object":"event"}');
const sign = (secret: string) => hmac('sha256', secret, [`${SECONDS}.`, body]).toString('hex');

const request = (signature: string): RawRequest => ({
  method: 'POST',
  url: 'https://hooks.example.com/webhooks/stripe',
  headers: { 'stripe-signature': signature },
  body,
});
const verify = (signature: string, secrets = [SECRET]) => stripe.verify(request(signature), { secrets, now: SECONDS * 1000 });

// Stripe's SDK: the secret is the key as it stands, prefix included, and the content is `{t}.{body}`.
it('signs as the published scheme says', async () => {
  const headers = await stripe.sign({
    method: 'POST',
    url: '',
    body,
    secret: SECRET,
    now: SECONDS * 1000 + 999,
    topic: '',
    eventId: '',
  });
  expect(headers['stripe-signature']).toBe(`t=${SECONDS},v1=${sign(SECRET)}`);
});

it('accepts any v1, whatever stands around it', () => {
  for (const header of [
    `t=${SECONDS},v1=${sign(SECRET)},v1=potato`,
    `t=${SECONDS},v1=${sign('other')},v1=${sign(SECRET)},v0=${sign('x')}`,
    `v1=${sign(SECRET)},t=${SECONDS},future=thing`,
    `t=${SECONDS},v1=${sign(SECRET).toUpperCase()}`,
  ]) {
    expect(verify(header)).toEqual({ ok: true });
  }
});

it('ignores v0 and unknown schemes', () => {
  expect(verify(`t=${SECONDS},v0=${sign(SECRET)}`)).toMatchObject({ reason: 'bad_signature' });
  expect(verify(`t=${SECONDS},v2=${sign(SECRET)}`)).toMatchObject({ reason: 'bad_signature' });
});

it.each(['', `,t=${SECONDS}`, `,t=${SECONDS + 1}`])('refuses a header with no time or several: %p', (rest) => {
  const start = rest === '' ? '' : `t=${SECONDS},`;
  expect(verify(`${start}v1=${sign(SECRET)}${rest}`)).toMatchObject({
    reason: 'bad_signature',
    detail: 'Stripe-Signature names no time, or several',
  });
});

it.each([`${SECONDS}.0`, `+${SECONDS}`, `${SECONDS}e0`, 'NaN', '99999999999999999999'])('refuses %s as a time', (time) => {
  expect(verify(`t=${time},v1=${sign(SECRET)}`)).toMatchObject({ reason: 'bad_signature' });
});

it('refuses a time that was moved to make an old delivery look new', () => {
  expect(verify(`t=${SECONDS + 1},v1=${sign(SECRET)}`)).toMatchObject({ reason: 'bad_signature' });
});

it('reads snapshot and thin events', () => {
  const events = (json: Json) => stripe.events(request(''), json);
  const snapshot = { id: 'evt_1', object: 'event', type: 'customer.updated', created: SECONDS, data: { object: {} } };
  expect(events(snapshot)).toEqual([{ id: 'evt_1', topic: 'customer.updated', occurredAt: SECONDS * 1000, body: snapshot }]);
  const thin = {
    id: 'evt_2',
    object: 'v2.core.event',
    type: 'v1.billing.meter.error_report_triggered',
    created: '2026-09-28T15:30:00.117Z',
  };
  expect(events(thin)).toMatchObject([{ id: 'evt_2', occurredAt: SECONDS * 1000 + 117 }]);
  expect(events({ id: 'evt_3', type: 't' })).toMatchObject([{ occurredAt: null }]);
});

it.each<[Json, string]>([
  [{ type: 't' }, 'Stripe: expected text at id, got nothing'],
  [{ id: 5, type: 't' }, 'Stripe: expected text at id, got a number'],
  [{ id: 'evt_1' }, 'Stripe: expected text at type, got nothing'],
  [[], 'Stripe: expected an object at body, got an array'],
])('refuses what is not an event: %j', (json, message) => {
  expect(() => stripe.events(request(''), json)).toThrow(new UnreadableDelivery(message));
});
