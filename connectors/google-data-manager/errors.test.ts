import type { VendorError } from '../errors';
import { errorFrom } from './errors';
import { googleDataManager } from './index';

const from = (status: number, data: unknown = null, headers: Record<string, string> = {}): VendorError => errorFrom({ status, headers, data });
const type = (name: string): string => `type.googleapis.com/google.rpc.${name}`;
const info = (reason: string, metadata: object = {}) => ({ '@type': type('ErrorInfo'), reason, domain: 'datamanager.googleapis.com', metadata });
const said = (code: number, status: string, details: object[] = [], message = 'There was a problem with the request.') => ({
  error: { code, message, status, details },
});
// The sample of devguides/concepts/understand-errors, read 2026-11; the value at fault added to the words.
const sample = said(400, 'INVALID_ARGUMENT', [
  info('INVALID_ARGUMENT', { requestId: 't-a8896317-069f-4198-afed-182a3872a660' }),
  { '@type': type('RequestInfo'), requestId: 't-a8896317-069f-4198-afed-182a3872a660' },
  {
    '@type': type('BadRequest'),
    fieldViolations: [
      {
        field: 'destinations[0].login_account.account_id',
        description: 'String ada@example.com is not a valid number.',
        reason: 'INVALID_NUMBER_FORMAT',
      },
    ],
  },
]);

test.each([
  [400, said(400, 'INVALID_ARGUMENT'), 'INVALID', 'INVALID_ARGUMENT'],
  [400, said(400, 'INVALID_ARGUMENT', [info('TERMS_AND_CONDITIONS_NOT_SIGNED')]), 'INVALID', 'TERMS_AND_CONDITIONS_NOT_SIGNED'],
  [400, said(400, 'FAILED_PRECONDITION'), 'INVALID', 'FAILED_PRECONDITION'],
  [401, said(401, 'UNAUTHENTICATED', [info('ACCESS_TOKEN_EXPIRED')]), 'AUTH', 'ACCESS_TOKEN_EXPIRED'],
  [401, '<html>', 'AUTH', undefined],
  [403, said(403, 'PERMISSION_DENIED', [info('SERVICE_DISABLED')]), 'AUTH', 'SERVICE_DISABLED'],
  [403, '<html>Sorry</html>', 'UNKNOWN', undefined],
  [404, said(404, 'NOT_FOUND'), 'NOT_FOUND', 'NOT_FOUND'],
  [409, said(409, 'ALREADY_EXISTS'), 'CONFLICT', 'ALREADY_EXISTS'],
  [409, said(409, 'ABORTED'), 'UNAVAILABLE', 'ABORTED'],
  [413, '<html>', 'TOO_LARGE', undefined],
  [418, {}, 'UNKNOWN', undefined],
  [429, said(429, 'RESOURCE_EXHAUSTED'), 'RATE_LIMITED', 'RESOURCE_EXHAUSTED'],
  [500, said(500, 'INTERNAL', [info('INTERNAL_ERROR')]), 'UNAVAILABLE', 'INTERNAL_ERROR'],
  [500, said(500, 'UNKNOWN'), 'UNAVAILABLE', 'UNKNOWN'],
  [503, said(503, 'UNAVAILABLE'), 'UNAVAILABLE', 'UNAVAILABLE'],
  [504, said(504, 'DEADLINE_EXCEEDED'), 'UNAVAILABLE', 'DEADLINE_EXCEEDED'],
  [502, '<html>', 'UNAVAILABLE', undefined],
  [400, said(400, 'A_STATUS_OF_TOMORROW'), 'INVALID', 'A_STATUS_OF_TOMORROW'],
] as const)('%p %j is %s', (status, body, code, vendorCode) => {
  const error = from(status, body);
  expect([error.code, error.vendorCode, error.status, error.ambiguous]).toEqual([code, vendorCode, status, false]);
  expect(error.vendorSaid).toEqual(body);
});

test('what is wrong stands with the field, not in the ErrorInfo; values of ours stay out of the message', () => {
  const error = from(400, sample);
  expect(error).toMatchObject({ vendorCode: 'INVALID_NUMBER_FORMAT', requestId: 't-a8896317-069f-4198-afed-182a3872a660' });
  expect(error.message).toBe(
    'Google refused the request, 400: an id is not a number; account ids are written without dashes (INVALID_NUMBER_FORMAT at destinations[0].login_account.account_id)',
  );
  expect(from(400, said(400, 'INVALID_ARGUMENT', [info('REQUIRED_FIELD_MISSING')], 'ada@example.com: missing.')).message).toBe(
    'Google refused the request, 400: ***: missing (REQUIRED_FIELD_MISSING)',
  );
});

test.each([
  ['TERMS_AND_CONDITIONS_NOT_SIGNED', /terms of Customer Match are not accepted .* accept them/],
  ['NO_IDENTIFIERS_PROVIDED', /map an e-mail address or a phone number/],
  ['INVALID_HEX_ENCODING', /map identifiers as they are written/],
  ['INVALID_USER_LIST_TYPE', /Customer Match list of type contact info/],
  ['toString', /There was a problem/],
])('%s says what to do', (reason, words) => {
  expect(from(400, said(400, 'INVALID_ARGUMENT', [info(reason)])).message).toMatch(words);
});

test.each([
  ['per minute', [info('RATE_LIMIT_EXCEEDED', { quota_limit: 'RequestsPerMinutePerProject' })], {}, 'MINUTE', 60_000],
  ['per day', [info('RATE_LIMIT_EXCEEDED', { quota_limit: 'RequestsPerDayPerProject' })], {}, 'DAY', 3_600_000],
  ['of no name', [info('RESOURCE_EXHAUSTED')], {}, 'MINUTE', 60_000],
  ['with RetryInfo', [{ '@type': type('RetryInfo'), retryDelay: '34.5s' }], {}, 'MINUTE', 34_500],
  ['with Retry-After', [{ '@type': type('RetryInfo'), retryDelay: '34.5s' }], { 'retry-after': '7' }, 'MINUTE', 7_000],
  ['with a RetryInfo of another form', [{ '@type': type('RetryInfo'), retryDelay: '-1s' }], {}, 'MINUTE', 60_000],
] as const)('a limit %s', (_name, details, headers, limitName, retryAfterMs) => {
  expect(from(429, said(429, 'RESOURCE_EXHAUSTED', [...details]), headers)).toMatchObject({ code: 'RATE_LIMITED', limitName, retryAfterMs });
});

test.each([
  [400, 'invalid_grant', 'AUTH', /^Google gave no access token, 400: No; the refresh token was revoked, .* set the new refresh token \(invalid_grant\)$/],
  [401, 'invalid_client', 'AUTH', /compare client id and client secret/],
  [401, 'unauthorized_client', 'AUTH', /another client/],
  [400, 'word_of_tomorrow', 'AUTH', /, 400: No \(word_of_tomorrow\)$/],
  [503, 'temporarily_unavailable', 'UNAVAILABLE', /, 503: No/],
] as const)('no access token, by %p %s: %s, and what to do', (status, vendorCode, code, words) => {
  expect(from(status, { error: vendorCode, error_description: 'No.' })).toMatchObject({ code, vendorCode, status, message: expect.stringMatching(words) });
});

test('odd bodies do no harm', () => {
  const odd = [undefined, null, 7, [], 'text', { error: 'x' }, { error: { status: 7 } }, { error: { status: 'ada@example.com' } }];
  const oddDetails = ['x', [null, 7], [{ reason: {}, metadata: [], fieldViolations: [{ field: {}, reason: 7 }, null] }]].map((details) => ({
    error: { status: 'INVALID_ARGUMENT', message: {}, details },
  }));
  for (const data of [...odd, ...oddDetails])
    for (const status of [400, 429, 503]) {
      const { message, code } = from(status, data);
      expect(message.length).toBeLessThan(400);
      expect(message).not.toContain('@');
      expect(code).not.toBe('UNKNOWN');
    }
});

test('writes and reads are counted apart, each by minute and day', () => {
  expect(googleDataManager.quotas).toEqual(['ingestion', 'status']);
  for (const quota of googleDataManager.quotas!) {
    expect(googleDataManager.limits(undefined, quota)).toEqual([
      { name: 'MINUTE', kind: 'rolling', ms: 60_000, max: 300 },
      { name: 'DAY', kind: 'rolling', ms: 86_400_000, max: 100_000 },
    ]);
  }
});
