import { errorFrom } from './errors';
import { limitReadings, limits, plans } from './limits';

const from = (status: number, data: unknown = null, headers: Record<string, string> = {}) => errorFrom({ status, headers, data });
const said = (errorCode: string, message = 'no') => [{ message, errorCode }];

test.each([
  [400, said('JSON_PARSER_ERROR'), 'INVALID'],
  [400, said('UNABLE_TO_LOCK_ROW'), 'UNAVAILABLE'],
  [400, said('CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY', 'Trg: System.LimitException: Too many SOQL queries: 101'), 'UNAVAILABLE'],
  [400, said('CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY', 'Trg: System.NullPointerException'), 'INVALID'],
  [401, said('INVALID_SESSION_ID'), 'AUTH'],
  [403, said('REQUEST_LIMIT_EXCEEDED'), 'RATE_LIMITED'],
  [403, said('INSUFFICIENT_ACCESS_OR_READONLY'), 'AUTH'],
  [403, '<html>blocked by firewall</html>', 'UNKNOWN'],
  [403, {}, 'UNKNOWN'],
  [404, said('NOT_FOUND'), 'NOT_FOUND'],
  [408, null, 'UNAVAILABLE'],
  [409, null, 'CONFLICT'],
  [413, null, 'TOO_LARGE'],
  [414, null, 'TOO_LARGE'],
  [418, null, 'UNKNOWN'],
  [420, null, 'RATE_LIMITED'],
  [429, null, 'RATE_LIMITED'],
  [500, said('UNKNOWN_EXCEPTION'), 'UNAVAILABLE'],
  [503, said('SERVER_UNAVAILABLE'), 'UNAVAILABLE'],
] as const)('%p %j is %s', (status, body, code) => {
  const error = from(status, body);
  expect(error).toMatchObject({ code, status, ambiguous: false, vendorSaid: body });
  expect(error.vendorCode).toBe(Array.isArray(body) ? (body as { errorCode: string }[])[0]!.errorCode : undefined);
});

test.each([
  ['the day', 'TotalRequests Limit exceeded.', {}, 'DAILY_API_REQUESTS', 900_000],
  ['too many at once', 'ConcurrentRequests (Concurrent API Requests) Limit exceeded.', {}, 'CONCURRENT_REQUESTS', 5_000],
  ['Retry-After wins, though Salesforce sends none', 'TotalRequests Limit exceeded.', { 'retry-after': '7' }, 'DAILY_API_REQUESTS', 7_000],
] as const)('over a limit: %s', (_name, message, headers, limitName, retryAfterMs) => {
  expect(from(403, said('REQUEST_LIMIT_EXCEEDED', message), headers)).toMatchObject({ code: 'RATE_LIMITED', limitName, retryAfterMs });
});

test.each([
  ['invalid_grant', 'request not supported on this domain', /: request not supported on this domain; enable the client credentials flow .* base URL/],
  ['invalid_grant', 'no client credentials user enabled', /: no client credentials user enabled; .* name the user it runs as/],
  ['invalid_client_id', 'client identifier invalid', /consumer key/],
  ['invalid_client', 'invalid client credentials', /consumer key and secret/],
])('no session, %s "%s": AUTH, and what to do', (error, error_description, words) => {
  expect(from(400, { error, error_description })).toMatchObject({ code: 'AUTH', vendorCode: error, message: expect.stringMatching(words) as string });
});

test('messages are plain and hold no value', () => {
  expect(from(400, said('INVALID_EMAIL_ADDRESS', 'Email: invalid email address: ada@example.com')).message).toBe(
    'Salesforce refused the request, 400: Email: invalid email address: *** (INVALID_EMAIL_ADDRESS)',
  );
  expect(from(503).message).toBe('Salesforce is unavailable, 503');
});

test('odd bodies do no harm', () => {
  for (const data of [undefined, null, 7, 'text', {}, [], [null], [[]], [{ message: 7, errorCode: {} }], [{ errorCode: 'a b' }]]) {
    for (const status of [400, 403, 503]) expect(from(status, data).message.length).toBeLessThan(400);
  }
});

test('each edition has a day and a number at once', () => {
  expect(plans.map((plan) => limits(plan).map(({ max }) => max))).toEqual([[15_000, 5], ...Array(3).fill([100_000, 25])]);
  expect(limits(undefined)).toEqual(limits('developer'));
});

const day = (max: number, remaining: number) => [{ limit: 'DAILY_API_REQUESTS', max, remaining }];
test.each([
  ['api-usage=18/5000', day(5_000, 4_982)],
  ['api-usage=5003/5000', day(5_000, 0)],
  ['api-usage=25/5000; per-app-api-usage=17/250(appName=sample-connected-app)', day(5_000, 4_975)],
  ['per-app-api-usage=17/250(appName=sample-connected-app); api-usage=25/5000', day(5_000, 4_975)],
  ['per-app-api-usage=17/250(appName=sample-connected-app)', []],
  ['api-usage=1/99999999999', []],
  ['', []],
])('%j reads as %j', (header, readings) => {
  expect(limitReadings({ 'sforce-limit-info': header })).toEqual(readings);
});
