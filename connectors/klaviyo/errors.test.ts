import type { VendorError } from '../errors';
import { errorFrom, explain } from './errors';
import { limitReadings, limits, quotas } from './limits';

const from = (status: number, data: unknown = null, headers: Record<string, string> = {}): VendorError => errorFrom({ status, headers, data });
const said = (code: string, more: object = {}) => ({ errors: [{ id: 'e-1', code, title: 'Invalid input.', detail: 'ada@example.com is not valid', ...more }] });
// klaviyo/klaviyo-api-node issue 66, recorded 2024-05.
const throttled = (detail: string) => ({
  errors: [{ id: '8c8f4aea', status: 429, code: 'throttled', title: 'Request was throttled.', detail, source: { pointer: '/data' }, links: {}, meta: {} }],
});

test.each([
  [400, said('invalid'), 'INVALID', 'invalid'],
  [401, said('not_authenticated'), 'AUTH', 'not_authenticated'],
  [403, said('permission_denied'), 'AUTH', 'permission_denied'],
  [403, '<html>Just a moment…</html>', 'UNKNOWN', undefined],
  [404, said('not_found'), 'NOT_FOUND', 'not_found'],
  [409, said('duplicate_profile', { meta: { duplicate_profile_id: '01GDD' } }), 'CONFLICT', 'duplicate_profile'],
  [413, null, 'TOO_LARGE', undefined],
  [418, {}, 'UNKNOWN', undefined],
  [429, throttled('Request was throttled. Expected available in 1 second.'), 'RATE_LIMITED', 'throttled'],
  ...[500, 502, 503, 504, 524].map((status) => [status, null, 'UNAVAILABLE', undefined] as const),
] as const)('%p %j is %s', (status, body, code, vendorCode) => {
  const error = from(status, body);
  expect([error.code, error.vendorCode, error.status, error.ambiguous]).toEqual([code, vendorCode, status, false]);
  expect(error.vendorSaid).toEqual(body);
});

test.each([
  ['the header', throttled('Expected available in 1 second.'), { 'retry-after': '42' }, 42_000, 'STEADY'],
  ['the words, without one', throttled('Request was throttled. Expected available in 58 seconds.'), {}, 58_000, 'STEADY'],
  ['never nothing', throttled('Request was throttled. Expected available in 0 seconds.'), {}, 1_000, 'BURST'],
  ['a second is the burst', throttled('…'), { 'retry-after': '1' }, 1_000, 'BURST'],
  ['not a word', null, {}, undefined, undefined],
] as const)('how long a 429 asks to wait, and which window it was: %s', (_name, body, headers, retryAfterMs, limitName) => {
  const error = from(429, body, headers);
  expect([error.retryAfterMs, error.limitName]).toEqual([retryAfterMs, limitName]);
});

test('messages tell title, code and place; the detail only with the values sent taken out', () => {
  const error = from(400, said('invalid', { source: { pointer: '/data/attributes/email' } }));
  expect(error.message).toBe('Klaviyo refused the request, 400: Invalid input (at /data/attributes/email) (invalid)');
  expect(error.requestId).toBe('e-1');
  const detail = { code: 'invalid', title: 'Invalid input.', detail: 'Ada Lovelace (ada@example.com, 0171) is not valid.' };
  expect(explain(detail, { values: ['Ada Lovelace', 'ada@example.com', '0171'] })).toEqual({
    code: 'invalid',
    cause: 'Invalid input: *** (***, ***) is not valid',
  });
  expect(explain(detail)).toEqual({ code: 'invalid', cause: 'Invalid input' });
  expect(explain({ title: 'No', source: { pointer: '/data/ada@example.com' } })).toEqual({ code: 'UNKNOWN', cause: 'No' });
});

test('odd bodies do no harm', () => {
  for (const data of [
    undefined,
    null,
    7,
    [],
    'text',
    { errors: 'x' },
    { errors: [] },
    { errors: [null] },
    { errors: [7] },
    { errors: [{ code: {}, title: [], source: 'x' }] },
  ])
    for (const status of [400, 429, 503]) expect(from(status, data).message.length).toBeLessThan(400);
});

test('two fixed windows for each family of endpoints; an unknown one has the tightest', () => {
  const table = [...quotas, undefined, 'other'].map((quota) => limits('any', quota).map(({ max }) => max));
  expect(table).toEqual([
    [75, 750],
    [10, 150],
    [10, 150],
    [10, 150],
    [10, 150],
  ]);
  expect(new Set(quotas.flatMap((quota) => limits('any', quota).map(({ kind }) => kind)))).toEqual(new Set(['fixed']));
});

test.each([
  [{ 'ratelimit-limit': '750', 'ratelimit-remaining': '749', 'ratelimit-reset': '12' }, [{ limit: 'STEADY', max: 750, remaining: 749, resetMs: 12_000 }]],
  [{ 'ratelimit-limit': '750, 75;w=1, 750;w=60', 'ratelimit-remaining': '3' }, [{ limit: 'STEADY', max: 750, remaining: 3 }]],
  [{ 'ratelimit-limit': '75, 75;w=1, 750;w=60', 'ratelimit-remaining': '3' }, []],
  [{ 'ratelimit-remaining': '749' }, []],
  [{ 'ratelimit-limit': '0', 'ratelimit-remaining': '0' }, []],
  [{ 'ratelimit-limit': '1e3', 'ratelimit-remaining': '-1' }, []],
  [{}, []],
])('%j reads as %j', (headers, readings) => {
  expect(limitReadings(headers)).toEqual(readings);
});
