import { durationMs, type Duration } from '../../../syncs/duration';
import { usageError } from '../cli-error';

const units = [
  { ms: 86_400_000, name: 'd' },
  { ms: 3_600_000, name: 'h' },
  { ms: 60_000, name: 'min' },
  { ms: 1_000, name: 's' },
] as const;

/** `3 d 4 h`, `2 min 5 s`, `850 ms`: at most two units, so that it reads at a glance. */
export function span(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1).replace(/\.0$/, '')} s`;
  const parts: string[] = [];
  let rest = Math.round(ms / 1_000) * 1_000;
  for (const unit of units) {
    const count = Math.floor(rest / unit.ms);
    if (count > 0) parts.push(`${count} ${unit.name}`);
    else if (parts.length > 0) break;
    rest -= count * unit.ms;
    if (parts.length === 2) break;
  }
  return parts.join(' ');
}

/** `3 min ago`, `in 20 s`, `just now`. */
export function relative(at: number, now: number): string {
  const ms = now - at;
  if (Math.abs(ms) < 1_000) return 'just now';
  return ms > 0 ? `${coarse(ms)} ago` : `in ${coarse(-ms)}`;
}

function coarse(ms: number): string {
  const unit = units.find((candidate) => ms >= candidate.ms) ?? units[3];
  return `${Math.floor(ms / unit.ms)} ${unit.name}`;
}

const pad = (value: number, length = 2): string => String(value).padStart(length, '0');

/** `2026-11-22 17:07:56`, in the operator's own zone (named once by {@link zone}). */
export function dateTime(at: number): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${clock(at)}`;
}

/** `17:07:56` */
export function clock(at: number): string {
  const date = new Date(at);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

/** `17:07:56.120` */
export function preciseClock(at: number): string {
  return `${clock(at)}.${pad(new Date(at).getMilliseconds(), 3)}`;
}

/** Only the clock for today, the date too for other days. */
export function shortTime(at: number, now: number): string {
  return new Date(at).toDateString() === new Date(now).toDateString() ? clock(at) : dateTime(at).slice(5, 16);
}

/** `UTC+01:00 (Europe/Berlin)`: the zone all printed times are in. */
export function zone(at: number): string {
  const minutes = -new Date(at).getTimezoneOffset();
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (minutes === 0) return name === 'UTC' ? 'UTC' : `UTC (${name})`;
  const sign = minutes < 0 ? '-' : '+';
  return `UTC${sign}${pad(Math.floor(Math.abs(minutes) / 60))}:${pad(Math.abs(minutes) % 60)} (${name})`;
}

/** `--since 1h` or `--since 2026-11-22T10:00:00Z`, as milliseconds since the epoch. */
export function parseSince(text: string, now: number): number {
  if (/^\d+(\.\d+)?(ms|s|m|h|d)$/.test(text)) return now - durationMs(text as Duration);
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  throw usageError(`"${text}" is not a time`, {
    where: '--since',
    expected: 'a span back from now (30m, 1h, 3d) or an ISO 8601 time (2026-11-22T10:00:00Z)',
  });
}
