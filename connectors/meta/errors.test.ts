import type { VendorError } from '../errors';
import { errorFrom } from './errors';
import { limitReadings, limits, plans } from './limits';

const from = (status: number, data: unknown, headers: Record<string, string> = {}): VendorError => errorFrom({ status, headers, data });
const said = (code: number, more: object = {}) => ({ error: { message: 'no', type: 'OAuthException', code, fbtrace_id: 'AqLS5eNyBcM1AL52q67l0Md', ...more } });
const usage = (...entries: object[]) => ({ 'x-business-use-case-usage': JSON.stringify({ '542676646349772': entries }) });
const used = (percent: number, more: object = {}) => ({ type: 'custom_audience', call_count: percent, total_cputime: 1, total_time: 1, ...more });

test.each([
  ['RATE_LIMITED', [4, 17, 32, 613, 80_003]],
  ['UNAVAILABLE', [1, 2, 341, 368, 5_000, 21_009]],
  ['AUTH', [3, 10, 190, 200, 278, 294, 2_654, 2_655]],
  ['INVALID', [100, 105, 2_650, 1_487_301, 1_487_366]],
  ['NOT_FOUND', [803]],
  ['UNKNOWN', [7, 999_999]],
])('behind a 400: %s for %j', (code, codes) => {
  for (const one of codes) expect(from(400, said(one))).toMatchObject({ code, status: 400, requestId: 'AqLS5eNyBcM1AL52q67l0Md', ambiguous: false });
});

test.each([
  [200, 1_870_034, 'AUTH', 'TERMS_NOT_SIGNED', /accept them in Ads Manager/],
  [200, 1_870_090, 'AUTH', 'TERMS_NOT_SIGNED', /accept them in Ads Manager/],
  [2655, undefined, 'AUTH', 'TERMS_NOT_SIGNED', /accept them in Ads Manager/],
  [200, 1_870_092, 'AUTH', 'BUSINESS_TOOLS_TERMS_NOT_SIGNED', /Business settings/],
  [100, 1_713_230, 'AUTH', 'UPLOAD_BLOCKED', /appeal in Audience Manager/],
  [200, 1_870_047, 'AUTH', 'AUDIENCE_TOO_SMALL', /add members first/],
  [2654, 1_713_092, 'AUTH', 'NO_WRITE_PERMISSION', /Manage campaigns/],
  [2650, 1_870_145, 'UNAVAILABLE', 'AUDIENCE_UPDATING', /being updated/],
  [2650, 1_870_158, 'CONFLICT', 'SESSION_TIMED_OUT', /90 minutes/],
  [2650, 1_870_159, 'CONFLICT', 'SESSION_FINISHED', /closed already/],
  [100, 33, 'NOT_FOUND', '100_33', /./],
  [100, 1_713_098, 'INVALID', '100_1713098', /./],
] as const)('%p, subcode %p: %s %s, and what to do', (number, error_subcode, code, vendorCode, words) => {
  const error = from(400, said(number, { error_subcode, error_user_title: 'Title' }));
  expect(error).toMatchObject({ code, vendorCode, message: expect.stringMatching(words) });
});

test.each([
  [403, said(4, { error_subcode: 1_504_022 }), 'RATE_LIMITED'],
  [500, said(1), 'UNAVAILABLE'],
  [400, said(100, { is_transient: true }), 'UNAVAILABLE'],
  [401, said(190), 'AUTH'],
  [400, said(190, { error_subcode: 463 }), 'AUTH'],
  [400, '<!DOCTYPE html><title>Facebook | Error</title>', 'UNKNOWN'],
  [403, '<html>blocked</html>', 'UNKNOWN'],
  [502, '<html>Bad Gateway</html>', 'UNAVAILABLE'],
  [413, '<html>too large</html>', 'TOO_LARGE'],
  [400, {}, 'UNKNOWN'],
  [400, { error: { message: 'no code' } }, 'UNKNOWN'],
  [400, { error: 'text' }, 'UNKNOWN'],
] as const)('status %p with %j is %s', (status, data, code) => {
  expect(from(status, data)).toMatchObject({ code, status, vendorSaid: data });
});

test('a 400 over the limit says how long in minutes, in a header', () => {
  const headers = usage(used(100, { estimated_time_to_regain_access: 19 }), { type: 'ads_management', call_count: 100, estimated_time_to_regain_access: 55 });
  expect(from(400, said(80_003, { error_subcode: 2_446_079 }), headers)).toMatchObject({ retryAfterMs: 19 * 60_000, limitName: 'CUSTOM_AUDIENCE' });
  expect(from(400, said(80_003), { ...headers, 'retry-after': '7' }).retryAfterMs).toBe(7_000);
  expect(from(400, said(80_003)).retryAfterMs).toBeUndefined();
  // Limits of the app and of the user: not one of ours.
  expect([4, 17, 613].map((code) => from(400, said(code)).limitName)).toEqual([undefined, undefined, undefined]);
  expect(from(400, said(200), headers).retryAfterMs).toBeUndefined();
});

test.each([
  [usage(used(3, { ads_api_access_tier: 'development_access' })), [{ limit: 'CUSTOM_AUDIENCE', max: 5_000, remaining: 4_850 }]],
  [usage(used(95, { ads_api_access_tier: 'standard_access' })), [{ limit: 'CUSTOM_AUDIENCE', max: 190_000, remaining: 9_500 }]],
  [
    usage(used(1, { ads_api_access_tier: 'full_access' }), used(2, { ads_api_access_tier: 'full_access' })),
    [{ limit: 'CUSTOM_AUDIENCE', max: 190_000, remaining: 186_200 }],
  ],
  [usage(used(100)), [{ limit: 'CUSTOM_AUDIENCE', remaining: 0 }]],
  [usage(used(130, { ads_api_access_tier: 'development_access' })), [{ limit: 'CUSTOM_AUDIENCE', remaining: 0 }]],
  [usage(used(3)), []],
  [usage({ type: 'ads_insights', call_count: 100 }), []],
  [usage(used(-1), { call_count: 'many' }, { type: 'custom_audience' }), []],
  [{ 'x-business-use-case-usage': '{"1":7}' }, []],
  [{}, []],
])('%j reads as %j', (headers, readings) => {
  expect(limitReadings(headers as Record<string, string>)).toEqual(readings);
});

test('an hour, by the tier; the tightest is the default', () => {
  expect([...plans, undefined, 'other'].map((plan) => limits(plan)[0]!.max)).toEqual([5_000, 190_000, 5_000, 5_000]);
  expect(limits(undefined)).toMatchObject([{ kind: 'rolling', ms: 3_600_000 }]);
});

test('messages hold no value, whatever Meta repeats', () => {
  const error = from(400, said(100, { error_user_msg: 'The value "ada@example.com" or +49 151 23456789 is not valid' }));
  expect(error.message).toBe('Meta refused the request, 400: The value "***" or *** is not valid (100)');
  expect(from(400, said(100, { fbtrace_id: 'ada@example.com' })).requestId).toBeUndefined();
});
