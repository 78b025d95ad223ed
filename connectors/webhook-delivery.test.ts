import type { Json } from '../schemas/json';
import { headerOf, isoTime, objectAt, requiredHeader, textAt, unixTime, valueAt } from './webhook-delivery';
import { UnreadableDelivery, type RawRequest } from './webhook';

const request = (headers: Record<string, string | undefined>): RawRequest => ({
  method: 'POST',
  url: 'https://hooks.example.com/',
  headers,
  body: Buffer.alloc(0),
});

describe('headers', () => {
  it('are read as own, non-empty text', () => {
    expect(headerOf(request({ 'x-a': 'b' }), 'x-a')).toBe('b');
    expect(headerOf(request({ 'x-a': '' }), 'x-a')).toBeUndefined();
    expect(headerOf(request({}), 'constructor')).toBeUndefined();
    expect(headerOf(request({ 'x-a': ['b'] as unknown as string }), 'x-a')).toBeUndefined();
  });

  it('are named when a delivery lacks one', () => {
    expect(() => requiredHeader('GitHub', request({}), 'x-github-event')).toThrow(new UnreadableDelivery('GitHub: expected a header x-github-event, got none'));
  });
});

describe('fields', () => {
  it.each<[Json | undefined, string]>([
    [undefined, 'nothing'],
    [null, 'null'],
    ['', 'empty text'],
    [7, 'a number'],
    [true, 'true or false'],
    [['secret@example.com'], 'an array'],
    [{ 'secret@example.com': 1 }, 'an object'],
  ])('are told by kind, never by value: %p', (value, kind) => {
    const object = value === undefined ? {} : { id: value };
    expect(() => textAt('Stripe', object, 'id')).toThrow(new UnreadableDelivery(`Stripe: expected text at id, got ${kind}`));
  });

  it('tell objects from arrays and null', () => {
    expect(objectAt('Stripe', 'body', {})).toEqual({});
    expect(() => objectAt('Stripe', 'body', [])).toThrow('Stripe: expected an object at body, got an array');
    expect(() => objectAt('Stripe', 'body', null)).toThrow('Stripe: expected an object at body, got null');
    expect(() => objectAt('Stripe', 'body', 'ada@example.com')).toThrow('Stripe: expected an object at body, got text');
  });

  it('are found by path, as own properties only', () => {
    const body = { a: { b: [{ c: 0 }] }, n: null };
    expect(valueAt(body, 'a.b.0.c')).toBe(0);
    for (const path of ['a.b.1.c', 'a.x.y', 'n.x', 'a.constructor', '__proto__', 'a.b.0.c.toFixed']) {
      expect(valueAt(body, path)).toBeUndefined();
    }
  });
});

describe('times', () => {
  it('are ISO 8601 with a zone', () => {
    expect(isoTime('2026-09-28T15:30:00Z')).toBe(1_790_609_400_000);
    expect(isoTime('2026-09-28T11:30:00-04:00')).toBe(1_790_609_400_000);
    expect(isoTime('2026-09-28T15:30:00.877041743Z')).toBe(1_790_609_400_877); // Shopify: nanoseconds
    const notTimes = ['', '2026-09-28', '2026-09-28T15:30:00', '2026-13-01T00:00:00Z', '28 Sep 2026 15:30 GMT', 'now', 1, null, undefined];
    for (const value of notTimes) expect(isoTime(value)).toBeNull();
  });

  it('or Unix times in a unit', () => {
    expect(unixTime(1_790_609_400, 1000)).toBe(1_790_609_400_000);
    expect(unixTime(1_790_609_400.5, 1000)).toBe(1_790_609_400_500);
    expect(unixTime(0, 1)).toBe(0);
    for (const value of [-1, 1e300, '1790609400', null, undefined, Number.NaN]) expect(unixTime(value, 1000)).toBeNull();
  });
});
