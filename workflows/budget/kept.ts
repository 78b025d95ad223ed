import { countLimit, startOf, used, type CountHolding, type CountWindow } from './counts';
import type { BulkReply } from './protocol';
import { sum } from './shares';

/*
 * Short windows are new every few seconds: who is served first there is enough. What bulk takes of a day is gone until the
 * next, so part of it is kept: for live records what they will need at their pace, at least a tenth, and for guaranteed shares
 * their part, both for the rest of the window. Bulk lanes may not take that; live records may take everything. At a fixed
 * window's end nothing is kept, so all of it is used if somebody wants it.
 */

/** Kept for live records of what is ahead, even if none came yet. */
const livePart = 0.1;
/** Live records that come in fits need more than on average. */
const headroom = 1.25;
/** More than this part of a window is not kept, whatever live records took. */
const mostPart = 0.5;
/** Part of a window over which the pace of live records is averaged. */
const paceSpan = 0.25;
/** Of a rolling window so much is ahead for shares: what was spent comes back all the time. */
const rollingAhead = 0.25;
/** Bulk that came to its end waits until so much is free again: a call every few seconds is not worth looking for. */
const worthPart = 1 / 5_000;

/** Live records in a long window. */
export interface LivePace {
  /** Units a millisecond, averaged over about a quarter of the window. */
  perMs: number;
  /** Units in the last window, about: they fade as they get older. */
  units: number;
  at: number;
}

/** Live records spent. */
export function noteLive(window: CountWindow, units: number, now: number): void {
  const before = livePace(window, now);
  window.live = { perMs: before.perMs + units / (window.ms * paceSpan), units: before.units + units, at: now };
}

function livePace({ live, ms }: CountWindow, now: number): Pick<LivePace, 'perMs' | 'units'> {
  const passed = live ? Math.max(0, now - live.at) / ms : 0;
  return { perMs: (live?.perMs ?? 0) * Math.exp(-passed / paceSpan), units: (live?.units ?? 0) * Math.exp(-passed) };
}

/** Units that live records will want ahead, less what of their own comes back meanwhile. */
function liveNeed(window: CountWindow, now: number): number {
  const { perMs, units } = livePace(window, now);
  return window.kind === 'rolling' ? perMs * headroom * window.ms - units : perMs * headroom * aheadMs(window, now);
}

function aheadMs(window: CountWindow, now: number): number {
  return window.kind === 'rolling' ? window.ms * rollingAhead : Math.max(0, startOf(window, now) + window.ms - now);
}

/** Units that a sync's bulk leaves alone: for live records, and for the shares of other syncs. */
export function kept(window: CountWindow, now: number, shares: Readonly<Record<string, number>>, sync?: string): number {
  const limit = Math.max(0, countLimit(window) - window.foreign);
  const ahead = aheadMs(window, now);
  const least = limit * livePart * (window.kind === 'rolling' ? 1 : ahead / window.ms);
  const live = Math.min(limit * mostPart, Math.max(least, liveNeed(window, now)));
  const guaranteed = sum(Object.entries(shares).map(([other, share]) => (other === sync ? 0 : share)));
  return Math.ceil(live + (limit * guaranteed * ahead) / window.ms);
}

/** What the bulk lanes of one worker may take until it asks again: as if the others spent all they have leased. null = whatever is leased. */
export function bulkReply(
  window: CountWindow,
  others: readonly CountHolding[],
  at: { now: number; shares: Readonly<Record<string, number>> },
): BulkReply | null {
  const free = countLimit(window) - window.foreign - used(window) - sum(others.map(({ left }) => left));
  // Nothing is left to be kept; and whether that is still so, a bulk call may look as well as a live one.
  if (free <= 0) return null;
  const left = (sync?: string): number => Math.max(0, free - kept(window, at.now, at.shares, sync));
  const shared = Object.fromEntries(Object.keys(at.shares).map((sync) => [sync, left(sync)]));
  // As if it were used up: a worker that comes to the end of it between two replies knows what to wait for.
  return { left: left(), shared, closedMs: bulkWaitMs(window, at.now, free - left(), { shares: at.shares }) };
}

/** Until bulk has a little room again, milliseconds; supposes that live records go on as they do. */
export function bulkWaitMs(
  window: CountWindow,
  now: number,
  free: number,
  of: { shares: Readonly<Record<string, number>>; sync?: string; calls?: number },
): number {
  const { shares, sync, calls = 1 } = of;
  const keep = kept(window, now, shares, sync);
  const more = Math.max(calls, Math.ceil(countLimit(window) * worthPart));
  if (free - keep >= calls) return 0;
  const ahead = aheadMs(window, now);
  if (window.kind === 'rolling' || keep === 0 || free < more) return Math.max(1_000, Math.round(window.kind === 'rolling' ? window.ms / 100 : ahead));
  // What is kept shrinks evenly with the time that is left.
  return Math.max(1_000, Math.round(ahead * (1 - Math.max(0, free - more) / keep)));
}
