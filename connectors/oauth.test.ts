import { sessionIn, tokenErrorIn, tokenRequest } from './oauth';

test('a request has its fields in the body, as a form', () => {
  expect(tokenRequest('/token', { grant_type: 'refresh_token', refresh_token: '1//0a+b&c' })).toEqual({
    method: 'POST',
    path: '/token',
    text: { content: 'grant_type=refresh_token&refresh_token=1%2F%2F0a%2Bb%26c', type: 'application/x-www-form-urlencoded' },
  });
});

test.each([
  [{ access_token: '00D5g!AQ0AQ.x_y', instance_url: 'https://x' }, { token: '00D5g!AQ0AQ.x_y' }],
  [{ access_token: 'two\nlines' }, null],
  [{ access_token: 'two words' }, null],
  [{ access_token: '' }, null],
  [{ access_token: 7 }, null],
  [{ token: 'x' }, null],
  ['text', null],
  [null, null],
])('%j holds %j', (data, session) => {
  expect(sessionIn({ status: 200, headers: {}, data })).toEqual(session);
});

const of = (status: number, data: unknown, headers: Record<string, string> = {}) =>
  tokenErrorIn({ status, headers, data }, 'Acme', { invalid_grant: 'ask again' });

test.each([
  [400, 'invalid_grant', 'AUTH'],
  [400, 'invalid_request', 'AUTH'],
  [401, 'invalid_client', 'AUTH'],
  [403, 'access_denied', 'AUTH'],
  [403, 'rate_limit_exceeded', 'RATE_LIMITED'],
  [429, 'slow_down', 'RATE_LIMITED'],
  [400, 'server_error', 'UNAVAILABLE'],
  [503, 'invalid_grant', 'UNAVAILABLE'],
])('%p %s is %s', (status, error, code) => {
  expect(of(status, { error })).toMatchObject({ code, status, vendorCode: error, ambiguous: false, vendorSaid: { error } });
});

test('the message has its words, without values, and ours', () => {
  expect(of(400, { error: 'invalid_grant', error_description: 'Bad token "abc" of ada@example.com.' })?.message).toBe(
    'Acme gave no access token, 400: Bad token "***" of ***; ask again (invalid_grant)',
  );
  expect(of(400, { error: 'invalid_grant' })?.message).toBe('Acme gave no access token, 400: ask again (invalid_grant)');
  expect(of(400, { error: 'constructor', error_description: 7 })?.message).toBe('Acme gave no access token, 400: no reason given (constructor)');
});

test('a limit on logins names none of ours, and keeps the wait', () => {
  const error = of(429, { error: 'slow_down' }, { 'retry-after': '7' });
  expect([error?.limitName, error?.retryAfterMs]).toEqual([undefined, 7_000]);
});

test.each([null, 'text', [], {}, { error: { code: 400 } }, { error: 'Ada Lovelace' }, [{ error: 'invalid_grant' }]])(
  '%j is not a token endpoint that speaks',
  (data) => {
    expect(of(400, data)).toBeUndefined();
  },
);
