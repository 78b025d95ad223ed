import type { VendorError } from '../errors';
import { errorFrom, explain } from './errors';
import { limitReadings, limits, plans } from './limits';

const from = (status: number, data: unknown = null, headers: Record<string, string> = {}): VendorError => errorFrom({ status, headers, data });
const said = (category: string, message = 'no', more: object = {}) => ({
  status: 'error',
  message,
  correlationId: 'c-1',
  category,
  ...more,
});

test.each([
  [400, said('VALIDATION_ERROR'), 'INVALID', 'VALIDATION_ERROR'],
  [400, said('VALIDATION_ERROR', 'no', { subCategory: 'crm.associations.INVALID_TYPE' }), 'INVALID', 'INVALID_TYPE'],
  [401, said('EXPIRED_AUTHENTICATION'), 'AUTH', 'EXPIRED_AUTHENTICATION'],
  [403, said('MISSING_SCOPES'), 'AUTH', 'MISSING_SCOPES'],
  [403, '<html>blocked by firewall</html>', 'UNKNOWN', undefined],
  [404, said('OBJECT_NOT_FOUND'), 'NOT_FOUND', 'OBJECT_NOT_FOUND'],
  [408, null, 'UNAVAILABLE', undefined],
  [409, said('CONFLICT'), 'CONFLICT', 'CONFLICT'],
  [413, '<html>too large</html>', 'TOO_LARGE', undefined],
  [418, {}, 'UNKNOWN', undefined],
  [422, said('VALIDATION_ERROR'), 'INVALID', 'VALIDATION_ERROR'],
  [423, said('LOCKED'), 'UNAVAILABLE', 'LOCKED'],
  [429, said('RATE_LIMITS'), 'RATE_LIMITED', 'RATE_LIMITS'],
  [477, said('MIGRATION_IN_PROGRESS'), 'UNAVAILABLE', 'MIGRATION_IN_PROGRESS'],
  ...[500, 502, 503, 504, 521, 522, 523, 524].map((status) => [status, null, 'UNAVAILABLE', undefined] as const),
] as const)('%p %p is %s', (status, body, code, vendorCode) => {
  const error = from(status, body);
  expect({ code: error.code, vendorCode: error.vendorCode, status: error.status, ambiguous: error.ambiguous }).toEqual({
    code,
    vendorCode,
    status,
    ambiguous: false,
  });
  expect(error.vendorSaid).toEqual(body);
});

const limited = (policyName: string) => ({
  status: 'error',
  message: 'You have reached your limit.',
  errorType: 'RATE_LIMIT',
  correlationId: 'c-1',
  policyName,
  requestId: 'r-1',
});

test.each([
  ['Retry-After wins', 429, limited('DAILY'), { 'retry-after': '7' }, 7_000, 'DAILY'],
  ['a burst: the window', 429, limited('TEN_SECONDLY_ROLLING'), {}, 10_000, 'TEN_SECONDLY_ROLLING'],
  [
    'a burst: the window it names',
    429,
    limited('TEN_SECONDLY_ROLLING'),
    { 'x-hubspot-ratelimit-interval-milliseconds': '1000' },
    1_000,
    'TEN_SECONDLY_ROLLING',
  ],
  [
    'a window longer than ours is not believed',
    429,
    limited('TEN_SECONDLY_ROLLING'),
    { 'x-hubspot-ratelimit-interval-milliseconds': '9e9' },
    10_000,
    'TEN_SECONDLY_ROLLING',
  ],
  ['the day: look again in an hour', 429, limited('DAILY'), {}, 3_600_000, 'DAILY'],
  ['recorded form without policyName', 429, said('RATE_LIMITS', 'You have reached your secondly limit.'), {}, 10_000, 'TEN_SECONDLY_ROLLING'],
  ['daily by its words', 429, said('RATE_LIMITS', 'You have reached your daily limit.'), {}, 3_600_000, 'DAILY'],
  ['no words at all', 429, null, {}, 10_000, undefined],
  ['locked: at least 2 s', 423, null, { 'retry-after': '1' }, 2_000, undefined],
  ['locked: more if asked', 423, null, { 'retry-after': '9' }, 9_000, undefined],
  ['migration', 477, null, { 'retry-after': '30' }, 30_000, undefined],
  ['migration without a word', 477, null, {}, 60_000, undefined],
  ['an outage: our own backoff', 503, null, {}, undefined, undefined],
] as const)('%s', (_name, status, body, headers, retryAfterMs, limitName) => {
  const error = from(status, body, headers);
  expect([error.retryAfterMs, error.limitName]).toEqual([retryAfterMs, limitName]);
});

test('the request’s id is kept, from body or header', () => {
  expect(from(400, said('X')).requestId).toBe('c-1');
  expect(from(502, '<html>', { 'x-hubspot-correlation-id': 'c-2' }).requestId).toBe('c-2');
});

test('messages are plain and hold no value', () => {
  const list = [
    { isValid: false, message: 'Email address ada@ is invalid', error: 'INVALID_EMAIL', name: 'email' },
    { isValid: false, message: 'Ada was not one of the allowed options', error: 'INVALID_OPTION', name: 'lifecyclestage' },
    { isValid: false, message: 'odd', error: 'SOMETHING_NEW', name: 'x' },
  ];
  const error = from(400, said('VALIDATION_ERROR', `Property values were not valid: ${JSON.stringify(list)}`));
  expect(error.vendorCode).toBe('INVALID_EMAIL');
  expect(error.message).toBe(
    'HubSpot refused the request, 400: property email is not an e-mail address HubSpot accepts; property lifecyclestage has a value that is not one of its options; property x was refused (SOMETHING_NEW) (INVALID_EMAIL)',
  );
  expect(from(409, said('CONFLICT', 'Contact already exists. Existing ID: 171591000198')).message).not.toContain('171591000198');
  expect(from(503).message).toBe('HubSpot is unavailable, 503');
});

test.each(['', 'Property values were not valid: [{', 'Property values were not valid: [1,null]', 'not valid: ["a"]'])(
  'an unreadable list %p is masked text',
  (message) => {
    expect(explain({ category: 'VALIDATION_ERROR', message }).code).toBe('VALIDATION_ERROR');
  },
);

test('odd bodies do no harm', () => {
  for (const data of [undefined, null, 7, [], 'text', { message: 7, category: {}, context: 'x', policyName: [] }]) {
    for (const status of [400, 429, 503]) expect(from(status, data).message.length).toBeLessThan(400);
  }
});

describe('limits', () => {
  test('each plan has a burst and a day', () => {
    const table = plans.map((plan) => limits(plan).map(({ max }) => max));
    expect(table).toEqual([
      [100, 250_000],
      [100, 250_000],
      [190, 625_000],
      [190, 1_000_000],
    ]);
    expect(limits(undefined)).toEqual(limits('free'));
    expect(limits('free').map(({ name }) => name)).toEqual(['TEN_SECONDLY_ROLLING', 'DAILY']);
  });

  const burst = {
    'x-hubspot-ratelimit-max': '110',
    'x-hubspot-ratelimit-remaining': '109',
    'x-hubspot-ratelimit-interval-milliseconds': '10000',
  };
  const day = { 'x-hubspot-ratelimit-daily': '250000', 'x-hubspot-ratelimit-daily-remaining': '249917' };
  const ofBurst = { limit: 'TEN_SECONDLY_ROLLING', max: 110, remaining: 109 };
  const ofDay = { limit: 'DAILY', max: 250_000, remaining: 249_917 };

  test.each([
    [{ ...burst, ...day }, [ofBurst, ofDay]],
    [burst, [ofBurst]],
    [day, [ofDay]],
    [{}, []],
    [{ ...day, 'x-hubspot-ratelimit-secondly': '11', 'x-hubspot-ratelimit-secondly-remaining': '10' }, [ofDay]],
    [{ ...burst, 'x-hubspot-ratelimit-interval-milliseconds': '60000' }, []],
    [{ ...burst, 'x-hubspot-ratelimit-max': 'many' }, [{ limit: 'TEN_SECONDLY_ROLLING', remaining: 109 }]],
    [{ ...burst, 'x-hubspot-ratelimit-max': '0' }, [{ limit: 'TEN_SECONDLY_ROLLING', remaining: 109 }]],
    [{ ...burst, 'x-hubspot-ratelimit-remaining': '-1' }, [{ limit: 'TEN_SECONDLY_ROLLING', max: 110 }]],
    [{ 'x-hubspot-ratelimit-max': '1.5', 'x-hubspot-ratelimit-remaining': '1e3' }, []],
  ])('%j reads as %j', (headers, readings) => {
    expect(limitReadings(headers)).toEqual(readings);
  });
});
