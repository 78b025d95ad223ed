import fc from 'fast-check';
import type { OffPeak } from '../../schemas/off-peak';
import { offPeakAt } from './off-peak';

const night = (change: Partial<OffPeak> = {}): OffPeak => ({ lanes: ['backfill'], from: '22:00', to: '06:00', timeZone: 'Europe/Berlin', ...change });
const at = (iso: string) => Date.parse(iso);
const minutes = (ms: number) => ms / 60_000;

test.each([
  // UTC+1 in winter: 22:00 in Berlin is 21:00 UTC.
  ['an evening before', '2026-01-10T20:59:00Z', false, 1],
  ['the first moment', '2026-01-10T21:00:00Z', true, 8 * 60],
  ['over midnight', '2026-01-10T23:30:00Z', true, 5.5 * 60],
  ['the last moment', '2026-01-11T04:59:59Z', true, 1 / 60],
  ['the moment after', '2026-01-11T05:00:00Z', false, 16 * 60],
  ['summer time', '2026-07-10T20:00:00Z', true, 8 * 60],
])('22:00-06:00 in Berlin, %s', (_name, now, open, left) => {
  const state = offPeakAt(night(), at(now));
  expect(state.open).toBe(open);
  expect(minutes(state.changeMs)).toBeCloseTo(left, 5);
});

test.each([
  ['spring, the night has an hour less', night(), '2026-03-28T21:00:00Z', true, 7 * 60],
  ['autumn, the night has an hour more', night(), '2026-10-24T20:00:00Z', true, 9 * 60],
  ['a start that the clock skips is when it has jumped', night({ from: '02:30', to: '05:00' }), '2026-03-29T00:00:00Z', false, 60],
  ['hours that the clock skips are not there', night({ from: '02:00', to: '03:00' }), '2026-03-29T00:30:00Z', false, 30 + 23 * 60],
  ['hours that the clock repeats count twice: the first time', night({ from: '02:00', to: '03:00' }), '2026-10-25T00:00:00Z', true, 120],
  ['an end in the repeated hour comes, and again', night({ from: '01:00', to: '02:30' }), '2026-10-25T00:00:00Z', true, 30],
  ['behind it the clock goes back into the hours', night({ from: '01:00', to: '02:30' }), '2026-10-25T00:30:00Z', false, 30],
  ['a zone of half hours', night({ timeZone: 'Asia/Kolkata' }), '2026-01-10T16:29:00Z', false, 1],
  ['a zone that jumps by half an hour', night({ from: '01:45', to: '06:00', timeZone: 'Australia/Lord_Howe' }), '2026-04-04T14:45:00Z', true, 15],
])('clock changes: %s', (_name, hours, now, open, left) => {
  const state = offPeakAt(hours, at(now));
  expect([state.open, minutes(state.changeMs)]).toEqual([open, left]);
});

test('until the change it stays as it is, and then it changes; whatever hours, zone and day', () => {
  const time = fc.tuple(fc.nat(23), fc.nat(59)).map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`);
  const zones = fc.constantFrom('Europe/Berlin', 'America/New_York', 'UTC', 'Asia/Kolkata', 'Australia/Lord_Howe', 'America/St_Johns', 'Pacific/Chatham');
  // A year of days, and the days around clock changes more often.
  const day = fc.oneof(fc.nat(365), fc.constantFrom(...[66, 67, 86, 87, 93, 94, 276, 277, 296, 297, 303, 304]));
  fc.assert(
    fc.property(time, time, zones, day, fc.nat(86_399), (from, to, timeZone, dayOfYear, second) => {
      fc.pre(from !== to);
      const hours = night({ from, to, timeZone });
      const now = at('2026-01-01T00:00:00Z') + dayOfYear * 86_400_000 + second * 1_000;
      const { open, changeMs } = offPeakAt(hours, now);
      const clock = new Intl.DateTimeFormat('de-DE', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
      const says = (moment: number) => {
        const shown = clock.format(moment);
        return from < to ? shown >= from && shown < to : shown >= from || shown < to;
      };
      expect(open).toBe(says(now));
      for (let moment = now; moment < now + changeMs; moment += Math.max(60_000, changeMs / 25)) expect(says(moment)).toBe(open);
      expect(says(now + changeMs - 1)).toBe(open);
      expect(says(now + changeMs)).toBe(!open);
    }),
    { numRuns: 400 },
  );
});
