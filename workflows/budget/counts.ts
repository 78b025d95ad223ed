import type { LivePace } from './kept';
import type { CountReply } from './protocol';
import { sum } from './shares';

/** A window longer than a minute: units are leased by the handful and counted when they are spent. */
export interface CountWindow {
  name: string;
  kind: 'rolling' | 'fixed';
  ms: number;
  max: number;
  /** Spent, by when: [bucket start, units]. A fixed window has buckets too, for the moments around its start. */
  spent: [at: number, units: number][];
  /** When a fixed window started, epoch ms, where the vendor said so; else it is aligned to UTC. */
  anchor: number;
  /** The vendor has refused for this quota: nothing until then (epoch ms), and how long the last such wait was. */
  closedUntil: number;
  closedForMs: number;
  /** Spent by others, as the vendor's headers tell; forgotten with the window. */
  foreign: number;
  /** When the vendor last told of it; never = not yet. */
  readAt?: number;
  /** When a call was last let through to look, while others had spent the rest. */
  lookedAt?: number;
  /** The pace of live records; none yet = none came. */
  live?: LivePace;
  /** The vendor's own maximum, where lower than declared; 0 = none. */
  said: number;
}

/** The limit in force, before others' use. */
export function countLimit(window: Pick<CountWindow, 'max' | 'said'>): number {
  return window.said > 0 ? Math.min(window.max, window.said) : window.max;
}

/** One worker's part of a {@link CountWindow}. */
export interface CountHolding {
  /** Leased and, for all we know, unspent. */
  left: number;
  /** What it had said to have spent since its term began. */
  heardSpent: number;
  /** Granted in the last reply. */
  promised: number;
}

/**
 * Others' use is known from headers only, and without calls there are none: the vendor's day may have begun long before ours
 * does. So often one call goes to look.
 */
const lookMs = 30 * 60_000;

/** Buckets per window: the most that a rolling one is stricter than the vendor is one part of so many. */
const buckets = 96;

/** The vendor's clock and ours may start a fixed window this far apart, milliseconds. */
const skewMs = (window: CountWindow): number => Math.min(5_000, window.ms / 20);

/** When the window in force began. A fixed one is taken to start late, and calls around its start count for the new one too. */
export function startOf(window: CountWindow, now: number): number {
  if (window.kind === 'rolling') return now - window.ms;
  const late = now - skewMs(window);
  return late - ((((late - window.anchor) % window.ms) + window.ms) % window.ms);
}

/** Drops what no longer counts. */
export function settleCounts(window: CountWindow, now: number): void {
  const start = startOf(window, now);
  const width = window.ms / buckets;
  const from = window.kind === 'rolling' ? start - width : start - 2 * skewMs(window);
  if (window.spent.length === 0) return;
  const kept = window.spent.filter(([at]) => at >= from);
  // A window that began anew is the vendor's to judge anew.
  if (window.kind === 'fixed' && kept.length < window.spent.length) window.foreign = 0;
  window.spent = window.kind === 'fixed' ? joined(window, kept, start, now) : kept;
}

/**
 * Fine buckets serve the moments around a fixed window's start only: a day of them would be a state of hundreds of
 * kilobytes. Older ones are joined, and never moved out of the window they count in.
 */
function joined(window: CountWindow, spent: CountWindow['spent'], start: number, now: number): CountWindow['spent'] {
  const width = window.ms / buckets;
  const fine = now - 4 * skewMs(window);
  const coarse: CountWindow['spent'] = [];
  for (const [at, units] of spent) {
    const last = coarse.at(-1);
    const to = at >= fine || at < start ? at : Math.max(start, Math.floor(at / width) * width);
    if (last && last[0] === to) last[1] += units;
    else coarse.push([to, units]);
  }
  return coarse;
}

/** Units the vendor may have counted in the window in force. */
export function used(window: CountWindow): number {
  return sum(window.spent.map(([, units]) => units));
}

export function book(window: CountWindow, now: number, units: number): void {
  if (units <= 0) return;
  const width = window.kind === 'rolling' ? window.ms / buckets : Math.min(window.ms / buckets, skewMs(window));
  // A rolling bucket expires with its newest unit, so it is kept from its start for one width longer.
  const at = Math.floor(now / width) * width;
  const last = window.spent.at(-1);
  if (last && last[0] === at) last[1] += units;
  else window.spent.push([at, units]);
}

/** Takes in what a worker says it has spent and holds. `lost`: our last grant never reached it. */
export function hearCounts(window: CountWindow, mine: CountHolding, said: { left: number; spent: number }, at: { now: number; lost: boolean }): void {
  if (at.lost) mine.left -= mine.promised;
  mine.promised = 0;
  book(window, at.now, said.spent - mine.heardSpent);
  mine.heardSpent = said.spent;
  mine.left = said.left;
}

/** Nobody will ever say what became of these: they count as spent. */
export function forgetCounts(window: CountWindow, mine: CountHolding, now: number): void {
  book(window, now, mine.left);
  mine.left = 0;
  mine.promised = 0;
}

/** Leases a handful more: what `want` says, at most a fair part of what is left. */
export function grantCounts(
  window: CountWindow,
  mine: CountHolding,
  others: readonly CountHolding[],
  at: { now: number; want: number },
): Omit<CountReply, 'name' | 'bulk'> {
  const limit = Math.max(0, countLimit(window) - window.foreign);
  const available = limit - used(window) - mine.left - sum(others.map(({ left }) => left));
  if (at.now < window.closedUntil) return { grant: 0, keep: 0, closedMs: window.closedUntil - at.now };
  const short = Math.max(0, at.want - mine.left);
  // Near the end of the quota the handfuls get smaller, so that no worker sits on the rest.
  const fair = Math.max(1, Math.ceil((limit - used(window)) / (2 * (others.length + 1))));
  const lookAt = othersSpentIt(window, mine, others) ? (window.lookedAt ?? at.now) + lookMs : Infinity;
  if (lookAt === Infinity) delete window.lookedAt;
  else window.lookedAt ??= at.now;
  const looks = at.now >= lookAt && short > 0;
  if (looks) window.lookedAt = at.now;
  const grant = looks ? 1 : Math.max(0, Math.min(short, available, Math.max(0, fair - mine.left)));
  mine.left += grant;
  mine.promised = grant;
  const closedMs = mine.left > 0 || at.want === 0 ? 0 : Math.min(resetMs(window, at.now), Math.max(1_000, lookAt - at.now));
  return { grant, keep: fair, closedMs };
}

/** We would have room, were it not for what others spent. */
function othersSpentIt(window: CountWindow, mine: CountHolding, others: readonly CountHolding[]): boolean {
  const ours = used(window) + mine.left + sum(others.map(({ left }) => left));
  return ours < countLimit(window) && ours + window.foreign >= countLimit(window);
}

/** Until something is expected to be free again, milliseconds. */
export function resetMs(window: CountWindow, now: number): number {
  if (now < window.closedUntil) return window.closedUntil - now;
  if (window.kind === 'fixed') return Math.max(1_000, startOf(window, now) + window.ms + skewMs(window) - now);
  const oldest = window.spent[0];
  return oldest ? Math.max(1_000, oldest[0] + window.ms / buckets + window.ms - now) : 1_000;
}

/**
 * The vendor says the quota is used up. When it starts anew is not ours to know: asked again after a minute, and when that is refused
 * at once, after two, … What was open for half as long as it was closed is refused for the first time.
 */
export function closeCounts(window: CountWindow, now: number, pauseMs: number): void {
  const again = window.closedForMs > 0 && now - window.closedUntil < window.closedForMs / 2;
  const wait = again ? Math.min(window.closedForMs * 2, 30 * 60_000, window.ms / 4) : Math.min(60_000, window.ms / 20);
  window.closedForMs = Math.max(pauseMs, wait);
  window.closedUntil = Math.max(window.closedUntil, now + window.closedForMs);
}
