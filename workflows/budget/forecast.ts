import type { Lane } from '../../schemas/plan';
import { closedMs, limitNow } from './corrections';
import { countLimit, resetMs, used, type CountWindow } from './counts';
import { sharesInForce } from './commands';
import { demandOf, isHeld, shutMs, unitsInUse } from './demand';
import { bulkWaitMs } from './kept';
import { queuedSync, type GroupDemand, type OffPeakReply } from './protocol';
import { allocate, sum, type Demand } from './shares';
import type { BudgetState } from './state';

/*
 * Estimates, and no more than that: they take the demand, the shares and the limits of this moment and suppose that nothing
 * changes. Good for "minutes or hours?".
 */

/** Calls that wait where the workers don't see them yet: in the task queues, or between two steps of a workflow. */
export interface WaitingWork {
  sync: string;
  lane: Lane;
  calls: number;
}

/** What a sync can expect in a lane. */
export interface Estimate {
  /** Calls a minute that it gets while it wants more; null = no window says. */
  perMinute: number | null;
  /** Milliseconds until what waits now is sent; null = nobody knows (paused by an operator, no pace). */
  waitMs: number | null;
}

/** Every group that wants something: as the workers say, and where the asker knows of more, as the asker says. */
export function demandGroups(state: BudgetState, extra: readonly WaitingWork[]): { worker: string; group: GroupDemand }[] {
  const told = Object.entries(state.workers).flatMap(([worker, { demand }]) => demand.map((group) => ({ worker, group })));
  const known = extra.length === 0 ? told : told.filter(({ group }) => group.sync !== queuedSync);
  const more = extra.flatMap(({ sync, lane, calls }) => {
    const seen = sum(known.filter(({ group }) => group.sync === sync && group.lane === lane).map(({ group }) => group.waiting));
    return calls > seen ? [{ worker: '', group: { sync, lane, waiting: calls - seen, full: false, used: [], spent: 0 } }] : [];
  });
  return [...known, ...more];
}

/** The moment an estimate is made in. */
export interface Moment {
  now: number;
  offPeak: OffPeakReply | null;
  groups: readonly { worker: string; group: GroupDemand }[];
}

/** What one sync in one lane can expect, if it wants `calls` calls. */
export function estimate(state: BudgetState, { now, offPeak, groups }: Moment, who: WaitingWork): Estimate {
  const lane = state.lanes[who.sync] ?? who.lane;
  const shares = sharesInForce(state);
  const rates = state.slots.flatMap((window, index) => {
    if (window.ms === 0) return [];
    const limit = limitNow(window, now);
    const others = groups.filter(({ group }) => group.sync !== who.sync || (state.lanes[group.sync] ?? group.lane) !== lane);
    const mine: Demand = { worker: '', sync: who.sync, lane, want: limit, cost: 1 };
    const all = [mine, ...others.map(({ worker, group }) => demandOf(state, worker, group, { window: index, limit, offPeak }))];
    return [(allocate(limit, all, shares)[0]?.slots ?? 0) / window.ms];
  });
  const perMs = rates.length === 0 ? null : Math.min(...rates);
  const perMinute = perMs === null ? null : Math.round(perMs * 60_000 * 10) / 10;
  if (isHeld(state, who.sync, lane)) return { perMinute, waitMs: null };
  if (who.calls === 0) return { perMinute, waitMs: 0 };
  if (perMs === 0) return { perMinute, waitMs: null };
  const sending = perMs === null ? unpacedMs(state, who.calls, now) : who.calls / perMs;
  const shut = Math.max(0, shutMs(offPeak, lane), closedMs(state, now), state.breaker.openUntil - now);
  const long = state.counts.map((window) => Math.max(longWaitMs(window, who.calls, now), lane === 'live' ? 0 : keptWaitMs(state, window, who, now)));
  const waitMs = Math.round(Math.max(shut + (sending ?? 0), ...long));
  return { perMinute, waitMs: sending === null && waitMs === 0 ? null : waitMs };
}

/** How long so many calls take where no short window sets a pace: at once what fits beside calls under way, else at the pace of late. null = there is none. */
function unpacedMs(state: BudgetState, calls: number, now: number): number | null {
  const free = Math.min(...state.slots.map((window, index) => limitNow(window, now) - unitsInUse(state, index)));
  if (calls <= free) return 0;
  const pace = Math.max(0, ...state.counts.map((window) => pacePerMs(window, now)));
  return pace > 0 ? calls / pace : null;
}

/** Until a long window has had room for so many calls. */
function longWaitMs(window: CountWindow, calls: number, now: number): number {
  const left = countLimit(window) - window.foreign - used(window);
  if (calls <= left && now >= window.closedUntil) return 0;
  return resetMs(window, now) + Math.floor(Math.max(0, calls - Math.max(0, left) - 1) / countLimit(window)) * window.ms;
}

/** Until bulk may have so many of what is left: the rest is kept for others. As long as anything is left at all. */
function keptWaitMs(state: BudgetState, window: CountWindow, { sync, calls }: WaitingWork, now: number): number {
  const left = countLimit(window) - window.foreign - used(window);
  return left <= 0 ? 0 : bulkWaitMs(window, now, left, { shares: sharesInForce(state), sync, calls: Math.min(calls, left) });
}

/** Units a millisecond in the last hour of a day; in the last 24th of other windows. */
function pacePerMs(window: CountWindow, now: number): number {
  const span = window.ms / 24;
  const recent = window.spent.filter(([at]) => at > now - span);
  const since = Math.max(60_000, Math.min(span, now - Math.min(now, window.spent[0]?.[0] ?? now)));
  return sum(recent.map(([, units]) => units)) / since;
}

/** How a long window goes on at its pace of late. */
export function outlook(window: CountWindow, now: number, left: number): { spentInMs: number | null; startsAnewMs: number | null; usedAtReset: number | null } {
  const perMs = pacePerMs(window, now);
  const reset = resetMs(window, now);
  const spentInMs = perMs > 0 ? Math.round(left / perMs) : Infinity;
  const fixed = window.kind === 'fixed' && now >= window.closedUntil;
  return {
    spentInMs: spentInMs < reset ? spentInMs : null,
    startsAnewMs: fixed ? reset : null,
    usedAtReset: fixed ? Math.round(used(window) + window.foreign + perMs * reset) : null,
  };
}
