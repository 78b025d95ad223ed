import { errorFrom, failureIn } from './errors';
import { limits } from './limits';

const said = (code: unknown, message = 'no') => ({ requestId: 'e42b#14272d07d78', success: false, errors: [{ code, message }] });
const hidden = (data: unknown, headers: Record<string, string> = {}) => failureIn({ status: 200, headers, data });

test.each([
  ['AUTH', '600 601 602 603'],
  ['RATE_LIMITED', '606 607 615'],
  ['UNAVAILABLE', '500 502 604 608 611 614 713 719 1016 1019 1029'],
  ['NOT_FOUND', '610 702'],
  ['INVALID', '605 609 612 613 616 701 703 704 709 710 711 712 714 718 1003 1011 1049'],
  ['UNKNOWN', '666 799 2001'],
])('inside a 200: %s for %s', (code, codes) => {
  for (const vendorCode of codes.split(' ')) {
    expect(hidden(said(vendorCode))).toMatchObject({ code, vendorCode, status: 200, ambiguous: false, requestId: 'e42b#14272d07d78' });
  }
});

test.each([
  ['606', 'CALLS_PER_20_SECONDS', 20_000],
  ['615', 'CONCURRENT_CALLS', 2_000],
  ['607', 'DAILY_QUOTA', 3_600_000],
])('%s names its limit and its wait', (code, limitName, retryAfterMs) => {
  expect(hidden(said(code))).toMatchObject({ code: 'RATE_LIMITED', limitName, retryAfterMs });
  expect(hidden(said(code), { 'retry-after': '7' })).toMatchObject({ limitName, retryAfterMs: 7_000 });
  expect(limits().map(({ name }) => name)).toContain(limitName);
});

test('the code may be a number; a failure without one is not known to be permanent', () => {
  expect(hidden(said(606))).toMatchObject({ code: 'RATE_LIMITED', vendorCode: '606' });
  for (const data of [{ success: false }, { success: false, errors: [] }, { success: false, errors: [null, 'x'] }, said({})]) {
    expect(hidden(data)).toMatchObject({ code: 'UNKNOWN' });
  }
});

test.each([null, [], 'text', 7, {}, { success: true, result: [] }, { success: 'false' }])('%j is no failure of the whole request', (data) => {
  expect(hidden(data)).toBeNull();
});

test.each([
  [400, said('609'), 'INVALID'],
  [401, { error: 'invalid_client' }, 'AUTH'],
  [403, said('603'), 'AUTH'],
  [403, '<html>blocked by firewall</html>', 'UNKNOWN'],
  [404, null, 'NOT_FOUND'],
  [413, 'Request Entity Too Large', 'TOO_LARGE'],
  [414, null, 'TOO_LARGE'],
  [418, null, 'UNKNOWN'],
  [429, null, 'RATE_LIMITED'],
  [502, '<html>Bad Gateway</html>', 'UNAVAILABLE'],
] as const)('status %p with %j is %s', (status, data, code) => {
  expect(errorFrom({ status, headers: {}, data })).toMatchObject({ code, status, vendorSaid: data });
});

test('messages are plain and hold no value', () => {
  expect(hidden(said('1003', "Lead 'ada@example.com' of +49 30 1234567 is no good"))!.message).toBe(
    "Marketo refused the request, 200: Lead '***' of *** is no good (1003)",
  );
  expect(hidden(said('ada@example.com'))!.message).not.toContain('ada@');
});
