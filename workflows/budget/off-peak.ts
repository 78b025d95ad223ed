import type { OffPeak } from '../../schemas/off-peak';
import type { HoursNow } from './protocol';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** Somewhat more than a day: the longest day of a year has 25 hours. */
const aheadMs = 26 * 60 * minuteMs;

/** Pure; `now` is epoch ms. Right as long as a zone changes its offset at most once in 26 hours. */
export function offPeakAt(hours: OffPeak, now: number): HoursNow {
  const zone = zoneOf(hours.timeZone);
  const open = isOpen(hours, zone, now);
  const [offset, later] = [zone(now), zone(now + aheadMs)];
  const changes = [offset, ...(later === offset ? [] : [later])].flatMap((one) => [hours.from, hours.to].flatMap((time) => boundaries(time, one, now)));
  // Where the clock jumps, it may jump over a boundary, or back behind one.
  if (later !== offset) changes.push(jump(zone, now, now + aheadMs));
  const next = changes.sort((a, b) => a - b).find((at) => at > now && isOpen(hours, zone, at) !== open);
  return { open, changeMs: (next ?? now + dayMs) - now };
}

/** Epoch ms at which a clock at this offset shows `time`: the next two. */
function boundaries(time: string, offset: number, now: number): number[] {
  const today = Math.floor((now + offset) / dayMs) * dayMs;
  return [0, 1].map((days) => today + days * dayMs + minutesOf(time) * minuteMs - offset);
}

function isOpen({ from, to }: OffPeak, zone: (at: number) => number, at: number): boolean {
  const local = at + zone(at);
  const minute = Math.floor((local - Math.floor(local / dayMs) * dayMs) / minuteMs);
  const [start, end] = [minutesOf(from), minutesOf(to)];
  return start < end ? minute >= start && minute < end : minute >= start || minute < end;
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

/** The first instant with the later offset, to the millisecond. */
function jump(zone: (at: number) => number, from: number, to: number): number {
  const later = zone(to);
  let [before, after] = [from, to];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (zone(middle) === later) after = middle;
    else before = middle;
  }
  return after;
}

/** Made once per zone: making one costs far more than asking it. The same input gives the same answer, whichever workflow asks. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format) return format;
  format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formats.set(timeZone, format);
  return format;
}

/** Offset of a zone from UTC at an instant, milliseconds. */
function zoneOf(timeZone: string): (at: number) => number {
  const format = formatOf(timeZone);
  return (at) => {
    const whole = Math.floor(at / 1_000) * 1_000;
    const parts = Object.fromEntries(format.formatToParts(whole).map(({ type, value }) => [type, Number(value)]));
    return Date.UTC(parts['year']!, parts['month']! - 1, parts['day'], parts['hour'], parts['minute'], parts['second']) - whole;
  };
}
