import fc from 'fast-check';
import { parseRetryAfter, retryAfterOf } from './retry-after';

const now = Date.parse('2026-10-08T12:00:00Z');
const day = 24 * 60 * 60 * 1000;

test.each([
  ['7', 7_000],
  [' 7 ', 7_000],
  ['0', 0],
  ['1.5', 1_500],
  ['Thu, 08 Oct 2026 12:00:30 GMT', 30_000],
  ['Thursday, 08-Oct-26 12:00:30 GMT', 30_000],
  ['Thu, 08 Oct 2026 11:00:00 GMT', 0],
  ['Fri, 09 Oct 2099 00:00:00 GMT', day],
  ['99999999999999999999999', day],
])('%p asks for %p ms', (value, expected) => {
  expect(parseRetryAfter(value, now)).toBe(expected);
});

// The last four are dates to `Date.parse`, but not to HTTP.
test.each([undefined, '', 'soon', '1e3', 'NaN', '0x10', '7 seconds', '-5', '2026-10-08', 'Oct 8', '8/10/2026'])('%p says nothing', (value) => {
  expect(parseRetryAfter(value, now)).toBeUndefined();
});

test('a date is compared with the clock of who sent it', () => {
  const headers = { 'retry-after': 'Thu, 08 Oct 2026 12:00:30 GMT', date: 'Thu, 08 Oct 2026 12:00:00 GMT' };
  expect(retryAfterOf(headers)).toBe(30_000);
  expect(retryAfterOf({})).toBeUndefined();
});

test('any text gives nothing, or a whole wait between 0 and a day', () => {
  const values = fc.oneof(
    fc.string(),
    fc.double().map(String),
    fc.date({ noInvalidDate: true }).map((at) => at.toUTCString()),
    fc.integer().map(String),
  );
  fc.assert(
    fc.property(values, (value) => {
      const wait = parseRetryAfter(value, now);
      return wait === undefined || (Number.isInteger(wait) && wait >= 0 && wait <= day);
    }),
  );
});
