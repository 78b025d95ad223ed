import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { runInNewContext } from 'node:vm';
import type { Json } from '../../schemas/json';
import { hmac } from '../hmac-signature';
import { UnreadableDelivery, type RawRequest, type WebhookSource } from '../webhook';
import type { GenericHmacConfig } from './config';
import { genericHmac } from './webhooks';

const base: GenericHmacConfig = {
  vendor: 'acme',
  header: 'X-Acme-Signature',
  algorithm: 'sha256',
  encoding: 'hex',
  signed: '{timestamp}.{body}',
  timestampHeader: 'X-Acme-Time',
  timestampUnit: 's',
  eventId: { field: 'id' },
  topic: { field: 'type' },
};
const NOW = 1_790_609_400_000;
const body = Buffer.from('{"id":7,"type":"lead.scored"}');

const sign = async (source: WebhookSource, now = NOW): Promise<RawRequest> => {
  const delivery = {
    method: 'POST',
    url: 'https://hooks.example.com/a?b=c',
    body,
    secret: 's',
    now,
    topic: 'topic',
    eventId: 'event',
  };
  return { ...delivery, headers: await source.sign(delivery) };
};

describe('verification', () => {
  it('agrees with a published vector (GitHub) when configured so', () => {
    const { timestampHeader: _, timestampUnit: __, ...rest } = base;
    const source = genericHmac({ ...rest, header: 'X-Hub-Signature-256', prefix: 'sha256=', signed: '{body}' });
    const headers = {
      'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
    };
    const request = { method: 'POST', url: '', headers, body: Buffer.from('Hello, World!') };
    expect(source.verify(request, { secrets: ["It's a Secret to Everybody"], now: 0 })).toEqual({ ok: true });
  });

  it('keeps to its own tolerance', async () => {
    const source = genericHmac({ ...base, toleranceMs: 60_000 });
    const request = await sign(source);
    expect(source.verify(request, { secrets: ['s'], now: NOW + 60_000 })).toEqual({ ok: true });
    expect(source.verify(request, { secrets: ['s'], now: NOW + 60_001 })).toMatchObject({ reason: 'stale' });
    expect(source.verify(request, { secrets: ['s'], now: NOW - 60_001 })).toMatchObject({ reason: 'stale' });
  });

  it('covers every header, the method and the URL that the template names', async () => {
    const source = genericHmac({ ...base, signed: '{method}|{url}|{X-Request-Id}|{timestamp}|{body}' });
    const request = await sign(source);
    const verify = (changes: Partial<RawRequest>) => source.verify({ ...request, ...changes }, { secrets: ['s'], now: NOW });
    expect(verify({})).toEqual({ ok: true });
    expect(verify({ method: 'PUT' })).toMatchObject({ reason: 'bad_signature' });
    expect(verify({ url: 'https://hooks.example.com/a' })).toMatchObject({ reason: 'bad_signature' });
    expect(verify({ headers: { ...request.headers, 'x-request-id': 'other' } })).toMatchObject({
      reason: 'bad_signature',
    });
    expect(verify({ headers: { ...request.headers, 'x-acme-time': String(NOW / 1000 + 1) } })).toMatchObject({
      reason: 'bad_signature',
    });
    expect(verify({ headers: { ...request.headers, 'x-request-id': undefined } })).toMatchObject({
      reason: 'missing_signature',
      detail: 'header x-request-id is missing',
    });
    expect(verify({ headers: { ...request.headers, 'x-acme-time': undefined } })).toMatchObject({
      reason: 'missing_signature',
    });
  });

  it('refuses a signed time it can not read', () => {
    const source = genericHmac({ ...base, signed: '{body}{timestamp}' });
    const time = 'soon';
    const headers = { 'x-acme-time': time, 'x-acme-signature': hmac('sha256', 's', [body, time]).toString('hex') };
    const verdict = source.verify({ method: 'POST', url: '', headers, body }, { secrets: ['s'], now: NOW });
    expect(verdict).toEqual({ ok: false, reason: 'bad_signature', detail: 'x-acme-time is not a Unix time in s' });
  });

  it('wants its prefix', async () => {
    const source = genericHmac({ ...base, prefix: 'v1=' });
    const request = await sign(source);
    const signature = request.headers['x-acme-signature']!;
    expect(signature).toMatch(/^v1=[0-9a-f]{64}$/);
    const bare = { ...request, headers: { ...request.headers, 'x-acme-signature': signature.slice(3) } };
    expect(source.verify(bare, { secrets: ['s'], now: NOW })).toMatchObject({ reason: 'bad_signature' });
  });
});

describe('events', () => {
  const request = (headers: Record<string, string> = {}): RawRequest => ({ method: 'POST', url: '', headers, body });
  const read = (changes: Partial<GenericHmacConfig>, json: Json, headers?: Record<string, string>) =>
    genericHmac({ ...base, ...changes }).events(request(headers), json)[0];
  const hashed = (id: string) => createHash('sha256').update(id).digest('hex');

  it('take id, topic and time from where the configuration says', () => {
    const json = {
      id: 'ada@example.com',
      type: 'lead.scored',
      meta: { at: 1_790_609_400 },
      list: [{ at: '2026-09-28T15:30:00Z' }],
    };
    expect(read({}, json)).toEqual({
      id: hashed('ada@example.com'),
      topic: 'lead.scored',
      occurredAt: null,
      body: json,
    });
    expect(read({ eventId: { header: 'X-Id' } }, json, { 'x-id': 'h' })).toMatchObject({ id: hashed('h') });
    expect(read({ topic: { header: 'X-Topic' } }, json, { 'x-topic': 'from-header' })).toMatchObject({
      topic: 'from-header',
    });
    expect(read({ topic: { constant: 'lead' } }, json)).toMatchObject({ topic: 'lead' });
    expect(read({ occurredAt: { field: 'meta.at', unit: 's' } }, json)).toMatchObject({ occurredAt: NOW });
    expect(read({ occurredAt: { field: 'meta.at', unit: 'ms' } }, json)).toMatchObject({ occurredAt: 1_790_609_400 });
    expect(read({ occurredAt: { field: 'list.0.at', unit: 'iso' } }, json)).toMatchObject({ occurredAt: NOW });
    expect(read({}, { ...json, id: 7 })).toMatchObject({ id: hashed('7') });
  });

  it('have no time where the field is absent or null', () => {
    for (const json of [
      { id: 1, type: 't' },
      { id: 1, type: 't', at: null },
    ]) {
      expect(read({ occurredAt: { field: 'at', unit: 's' } }, json)).toMatchObject({ occurredAt: null });
    }
  });

  it.each<[Partial<GenericHmacConfig>, Json, string]>([
    [{}, { type: 't' }, 'acme: expected text or a number (the event id) at id, got nothing'],
    [{ eventId: { field: 'a.b' } }, { a: { b: [] } }, 'acme: expected text or a number (the event id) at a.b, got an array'],
    [{ eventId: { header: 'X-Id' } }, {}, 'acme: expected a header x-id, got none'],
    [{}, { id: 1 }, 'acme: expected text or a number (the topic) at type, got nothing'],
    [{ occurredAt: { field: 'at', unit: 's' } }, { id: 1, type: 't', at: 'x' }, 'acme: expected a Unix time in s at at, got text'],
    [{ occurredAt: { field: 'at', unit: 'iso' } }, { id: 1, type: 't', at: 5 }, 'acme: expected an ISO 8601 time with its zone at at, got a number'],
  ])('refuse %j on %j', (changes, json, message) => {
    expect(() => read(changes, json)).toThrow(new UnreadableDelivery(message));
  });
});

describe('configuration', () => {
  it.each<[string, object, string]>([
    ['an unsigned body', { signed: '{timestamp}' }, 'signed: must contain {body} exactly once, else the body is not covered'],
    ['the body twice', { signed: '{timestamp}{body}{body}' }, 'signed: must contain {body} exactly once, else the body is not covered'],
    ['an unsigned time', { signed: '{body}' }, 'signed: must contain {timestamp}, else anyone can change timestampHeader'],
    ['a time from nowhere', { timestampHeader: undefined, timestampUnit: undefined }, 'timestampHeader: is missing, though `signed` contains {timestamp}'],
    ['a time without unit', { timestampUnit: undefined }, 'timestampUnit: is missing: s or ms'],
    ['a unit without time', { signed: '{body}', timestampHeader: undefined }, 'timestampUnit: has no effect without timestampHeader'],
    ['a signature over itself', { signed: '{timestamp}{body}{X-Acme-Signature}' }, 'signed: names the signature header itself'],
    ['an odd placeholder', { signed: '{timestamp}{body}{a b}' }, 'signed: {a b} is not a header name'],
    ['an open brace', { signed: '{timestamp}.{body' }, 'signed: has a brace without its pair'],
    ['an odd header', { header: 'X Acme' }, 'header: is not a header name'],
    ['an odd vendor', { vendor: 'Acme Inc' }, 'vendor: must be lower case letters, digits and dashes'],
    ['an unknown algorithm', { algorithm: 'md5' }, 'algorithm: '],
    ['an unknown encoding', { encoding: 'base32' }, 'encoding: '],
    ['no event id', { eventId: undefined }, 'eventId: expected { header } or { field }'],
    ['a constant event id', { eventId: { constant: 'x' } }, 'eventId: expected { header } or { field }'],
    ['an odd topic', { topic: 'lead' }, 'topic: expected { header }, { field } or { constant }'],
    ['an odd unit', { occurredAt: { field: 'at', unit: 'minutes' } }, 'occurredAt.unit: '],
    ['an odd path', { occurredAt: { field: 'a..b', unit: 's' } }, 'occurredAt.field: is not a path'],
    ['a tolerance of nothing', { toleranceMs: 0 }, 'toleranceMs: '],
    ['an unknown option', { tolerance: 5 }, 'configuration: '],
  ])('refuses %s', (_name, changes, message) => {
    const given = Object.fromEntries(Object.entries({ ...base, ...changes }).filter(([, value]) => value !== undefined));
    expect(() => genericHmac(given as GenericHmacConfig)).toThrow(/^genericHmac: /);
    expect(() => genericHmac(given as GenericHmacConfig)).toThrow(message);
  });

  it('names every problem at once', () => {
    expect(() => genericHmac({ ...base, header: '', signed: '{timestamp}', toleranceMs: -1 })).toThrow(/header: .*; .*toleranceMs: /);
  });

  it('works as the README writes it', () => {
    const readme = readFileSync(path.join(__dirname, 'README.md'), 'utf8');
    const code = /```ts\n([^]*?)```/.exec(readme)?.[1] ?? '';
    const sources = runInNewContext(`${code.replaceAll('export const', 'const')}; [typeform, customerIo]`, {
      genericHmac,
    });
    expect((sources as WebhookSource[]).map(({ vendor }) => vendor)).toEqual(['typeform', 'customer-io']);
  });
});
