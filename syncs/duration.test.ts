import { durationMs } from './duration';

test.each([
  ['250ms', 250],
  ['30s', 30_000],
  ['10m', 600_000],
  ['3h', 10_800_000],
  ['1.5d', 129_600_000],
  [42, 42],
] as const)('%s', (text, expected) => {
  expect(durationMs(text)).toBe(expected);
});

test.each(['', '5', 'ms', '-1s', '1 s', '1w'])('"%s" is refused, with what is expected', (text) => {
  expect(() => durationMs(text as never)).toThrow(/is not a duration; expected e\.g\. '250ms'/);
});
