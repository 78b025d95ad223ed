import { createHash } from 'node:crypto';
import type { Json } from '../../schemas/json';
import { hmac } from '../hmac-signature';
import { UnreadableDelivery, type RawRequest } from '../webhook';
import { hubspotWebhooks } from './webhooks';

const SECRET = 'yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy';
const URL_ = 'https://www.example.com/webhook_uri';

const signed = (changes: Partial<RawRequest> & { signature: string; timestamp: string }): RawRequest => ({
  method: 'POST',
  url: URL_,
  body: Buffer.from("{'example_field':'example_value'}"),
  headers: { 'x-hubspot-signature-v3': changes.signature, 'x-hubspot-request-timestamp': changes.timestamp },
  ...changes,
});

describe('signature v3', () => {
  // The tests of HubSpot's SDKs: Python (1693657560000), Ruby (15000000, 1700000300000). The last is made by their formula.
  it.each([
    ["{'example_field':'example_value'}", '1693657560000', 'K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y='],
    ["{'example_field':'example_value'}", '15000000', 'HPW73RUtKmcYoEDADG0s6MmGFWUzWJKAW07r8RDgcQw='],
    ["{'example_field':'example_value'}", '1700000300000', 'RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw='],
    ['{"example_field":"example_value"}', '1700000000000', 'rQEKkaNUiu+1qGF//O/pw4BCzstSqO1PyUnGICmf+7o='],
  ])('agrees with the SDKs on %s at %s', async (text, timestamp, signature) => {
    const body = Buffer.from(text);
    const now = Number(timestamp);
    expect(hubspotWebhooks.verify(signed({ body, timestamp, signature }), { secrets: [SECRET], now })).toEqual({
      ok: true,
    });
    const headers = await hubspotWebhooks.sign({
      method: 'POST',
      url: URL_,
      body,
      secret: SECRET,
      now,
      topic: '',
      eventId: '',
    });
    expect(headers).toMatchObject({ 'x-hubspot-signature-v3': signature, 'x-hubspot-request-timestamp': timestamp });
  });

  // The same page's vectors for v1 and v2: authentic, but without a time, so that anybody could replay them for ever.
  it.each([
    ['v1', '232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de'],
    ['v2', '9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900'],
  ])('is the only one accepted: %s is not', (version, signature) => {
    const body =
      version === 'v1'
        ? '[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM","changeFlag":"NEW","appId":54321}]'
        : '{"example_field":"example_value"}';
    const source = version === 'v1' ? SECRET + body : `${SECRET}POST${URL_}${body}`;
    expect(createHash('sha256').update(source).digest('hex')).toBe(signature);
    const headers = { 'x-hubspot-signature': signature, 'x-hubspot-signature-version': version };
    const request = { method: 'POST', url: URL_, headers, body: Buffer.from(body) };
    expect(hubspotWebhooks.verify(request, { secrets: [SECRET], now: 0 })).toMatchObject({
      reason: 'missing_signature',
    });
  });

  const raw = 'https://hooks.example.com/webhooks/a%2Fb?x=%3a%2f%3F%40%21%24%27%28%29%2A%2C%3B&y=%20%26%3D%2B';
  const decoded = "https://hooks.example.com/webhooks/a/b?x=:/?@!$'()*,;&y=%20%26%3D%2B";

  it.each([
    ['decoded as HubSpot lists', decoded, true],
    ['as it came', raw, true],
    ['decoded in full', decodeURIComponent(raw), false],
    ['without its query', 'https://hooks.example.com/webhooks/a%2Fb', false],
    ['over http', raw.replace('https', 'http'), false],
  ])('covers the URL %s', (_name, url, ok) => {
    const body = Buffer.from('[]');
    const signature = hmac('sha256', SECRET, ['POST', url, body, '1700000000000']).toString('base64');
    const request = signed({ url: raw, body, timestamp: '1700000000000', signature });
    expect(hubspotWebhooks.verify(request, { secrets: [SECRET], now: 1_700_000_000_000 }).valueOf()).toMatchObject({
      ok,
    });
  });

  it('covers method and time', () => {
    const good = { timestamp: '1693657560000', signature: 'K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=' };
    const verify = (changes: Partial<RawRequest> & { timestamp?: string }) =>
      hubspotWebhooks.verify(signed({ ...good, ...changes }), { secrets: [SECRET], now: 1_693_657_560_000 });
    expect(verify({})).toEqual({ ok: true });
    expect(verify({ method: 'post' })).toEqual({ ok: true });
    expect(verify({ method: 'GET' })).toMatchObject({ reason: 'bad_signature' });
    for (const timestamp of ['1693657560001', '1693657560000 ', '1.69365756e12', 'abc']) {
      expect(verify({ timestamp })).toMatchObject({ reason: 'bad_signature' });
    }
    expect(verify({ timestamp: '' })).toMatchObject({ detail: 'header X-HubSpot-Request-Timestamp is missing' });
  });
});

describe('events', () => {
  const event = {
    eventId: 1,
    subscriptionId: 12345,
    portalId: 62515,
    occurredAt: 1_564_113_600_000,
    subscriptionType: 'contact.creation',
    attemptNumber: 0,
    objectId: 123,
    changeSource: 'CRM',
    changeFlag: 'NEW',
    appId: 54321,
  };
  const read = (json: Json) => hubspotWebhooks.events(signed({ signature: '', timestamp: '' }), json);
  const idOf = (changes: Record<string, Json>) => read([{ ...event, ...changes }])[0]!.id;
  const without = (field: string): Json => Object.fromEntries(Object.entries(event).filter(([name]) => name !== field));

  it('are one per element', () => {
    const second = { ...event, eventId: 2, occurredAt: event.occurredAt + 5 };
    expect(read([event, second])).toEqual([
      {
        id: '62515~contact.creation~123~1~1564113600000',
        topic: 'contact.creation',
        occurredAt: 1_564_113_600_000,
        body: event,
      },
      {
        id: '62515~contact.creation~123~2~1564113600005',
        topic: 'contact.creation',
        occurredAt: 1_564_113_600_005,
        body: second,
      },
    ]);
    expect(read([])).toEqual([]);
    expect(read(Array.from({ length: 3000 }, (_, eventId) => ({ ...event, eventId })))).toHaveLength(3000);
  });

  it('keep their id over attempts', () => {
    expect(idOf({ attemptNumber: 9 })).toBe(idOf({}));
  });

  it.each<[string, Record<string, Json>]>([
    ['another account', { portalId: 7 }],
    ['another kind', { subscriptionType: 'contact.deletion' }],
    ['another record', { objectId: 7 }],
    ['another event', { eventId: 7 }],
    ['another time', { occurredAt: 7 }],
    ['another type of object', { objectTypeId: '0-2' }],
    ['another property', { propertyName: 'email' }],
    ['another message', { messageId: 'm' }],
    ['another association', { fromObjectId: 1, toObjectId: 2, associationType: 'CONTACT_TO_COMPANY' }],
  ])('have another id for %s', (_name, changes) => {
    expect(idOf(changes)).not.toBe(idOf({}));
  });

  it('do not mind the other fields being null', () => {
    expect(idOf({ propertyName: null, objectTypeId: null, fromObjectId: null, toObjectId: '' })).toBe(idOf({}));
  });

  it('may be associations, which have two ends and no objectId', () => {
    const ends = {
      ...(without('objectId') as object),
      subscriptionType: 'contact.associationChange',
      fromObjectId: 1,
      toObjectId: 2,
    };
    expect(read([ends, { ...ends, toObjectId: 3 }]).map(({ id }) => id)).toEqual([
      '62515~contact.associationChange~~1~1564113600000~1~2',
      '62515~contact.associationChange~~1~1564113600000~1~3',
    ]);
  });

  it.each<[Json, string]>([
    [{}, 'HubSpot: expected an array of events at body, got an object'],
    [null, 'HubSpot: expected an array of events at body, got null'],
    [[event, 'x'], 'HubSpot, event 2 of 2: expected an object at its place, got text'],
    [[without('portalId')], 'HubSpot, event 1 of 1: expected a number or text at portalId, got nothing'],
    [[without('objectId')], 'HubSpot, event 1 of 1: expected a number or text at objectId, got nothing'],
    [[without('eventId')], 'HubSpot, event 1 of 1: expected a number or text at eventId, got nothing'],
    [[without('subscriptionType')], 'HubSpot, event 1 of 1: expected text at subscriptionType, got nothing'],
    [[{ ...event, occurredAt: 'now' }], 'HubSpot, event 1 of 1: expected a Unix time in milliseconds at occurredAt, got text'],
  ])('refuse %#', (json, message) => {
    expect(() => read(json)).toThrow(new UnreadableDelivery(message));
  });
});
