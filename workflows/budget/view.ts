import type { OffPeak } from '../../schemas/off-peak';
import type { Lane } from '../../schemas/plan';
import { shareScale, sharesInForce } from './commands';
import { countLimit, resetMs, used } from './counts';
import { ceilingNow, closedMs, foreignNow, limitNow } from './corrections';
import { demandGroups, estimate, outlook, type Estimate, type WaitingWork } from './forecast';
import { isHeld, longestSlots, offPeakNow, shutMs, unitsInUse } from './demand';
import { kept } from './kept';
import { expire } from './lease';
import type { HoursNow, OffPeakReply } from './protocol';
import { sum } from './shares';
import type { BudgetState } from './state';

/** A budget for people and `--json`: all durations in milliseconds from `at`. */
export interface BudgetView {
  scope: { vendor: string; scope: string };
  /** ISO 8601. */
  at: string;
  state: 'open' | 'paused' | 'spent' | 'vendor-down' | 'vendor-recovering' | 'held';
  /** Until calls can be expected to go again; 0 = they go. */
  closedMs: number;
  windows: WindowView[];
  /** 429s since midnight UTC that named no window we know. */
  refusedUnnamed: number;
  /** By sync and lane, most spent first. */
  spenders: SpenderView[];
  /** `failures`: of the calls counted last. */
  breaker: { state: 'closed' | 'open' | 'half-open'; openMs: number; failures: number };
  /** In force. */
  shares: Record<string, number>;
  /** Of them, those an operator changed: as they were set. Workers of older versions leave it out. */
  changedShares?: Record<string, number>;
  /** Shares no longer fit together: in force is this part of what was declared or set. 1 = they fit. */
  shareScale?: number;
  lanes: Record<string, Lane>;
  held: string[];
  /** Lanes that send in some hours only; null = all send always. `changeMs`: until the hours begin or end. */
  offPeak: (OffPeak & HoursNow) | null;
  workers: number;
}

/** What one sync spends in one lane, and what it can expect: estimates, by the demand of this moment. */
export interface SpenderView extends Estimate {
  sync: string;
  /** The lane it is served in. */
  lane: Lane;
  /** Units since midnight UTC. */
  today: number;
  /** 429s since then. */
  refused: number;
  /** Calls waiting. */
  waiting: number;
  /** Units in the longest of the short windows. */
  inWindow: number;
  /** Paused by an operator. */
  held: boolean;
  /** Milliseconds until its lane may send again; 0 = it may. */
  shutMs: number;
}

export interface WindowView {
  name: string;
  kind: 'rate' | 'concurrent' | 'count';
  /** 0 = calls at once. */
  ms: number;
  /** As declared. */
  max: number;
  /** In force now. */
  limit: number;
  used: number;
  /** Of `used`: leased to workers and not spent yet; what they don't spend comes back. Only for long windows. */
  leased: number;
  left: number;
  /** Of what is left, bulk lanes leave so much to live records and guaranteed shares; 0 = nothing is kept. Only for long windows. */
  kept: number;
  /** Spent by others than us. */
  foreign: number;
  /** 429s since midnight UTC that named it. */
  refused: number;
  /** 0..1: lowered by 429s. */
  ceiling: number;
  /** Until something is free again; 0 = there is something. */
  resetMs: number;
  /** When the pace of now will have spent all of it; null = not before it starts anew. Only for long windows. */
  spentInMs: number | null;
  /** Milliseconds until a clock-aligned long window starts anew; null = it is not one. */
  startsAnewMs: number | null;
  /** Units spent by then, at the pace of now. */
  usedAtReset: number | null;
  /** Used to 70 % and more: an alert was sent, and recovery not yet. */
  high: boolean;
}

/** The state as it would be at `nowMs`; changes nothing. `waiting`: work that the asker knows of, for the estimates. */
export function viewOf(scope: { vendor: string; scope: string }, current: BudgetState, nowMs: number, waiting: readonly WaitingWork[] = []): BudgetView {
  const state = JSON.parse(JSON.stringify(current)) as BudgetState;
  const now = Math.max(state.now, nowMs);
  expire(state, now);
  const { breaker } = state;
  const breakerState = breaker.openUntil === 0 ? 'closed' : now < breaker.openUntil ? 'open' : 'half-open';
  const closed = closedMs(state, now);
  const offPeak = offPeakNow(state, now);
  const windows = [...rateViews(state, now), ...countViews(state, now)];
  return {
    scope,
    at: new Date(now).toISOString(),
    state:
      breakerState === 'open'
        ? 'vendor-down'
        : breakerState === 'half-open'
          ? 'vendor-recovering'
          : state.held.includes('all')
            ? 'held'
            : now < state.pausedUntil
              ? 'paused'
              : closed > 0
                ? 'spent'
                : 'open',
    closedMs: Math.max(closed, breaker.openUntil - now, 0),
    windows,
    refusedUnnamed: state.refusals[''] ?? 0,
    spenders: spenders(state, now, { waiting, offPeak }),
    breaker: { state: breakerState, openMs: Math.max(0, breaker.openUntil - now), failures: sum(breaker.calls.map(([, , failed]) => failed)) },
    shares: sharesInForce(state),
    changedShares: state.changedShares,
    shareScale: shareScale(state),
    lanes: state.lanes,
    held: state.held,
    offPeak: state.offPeak && offPeak ? { ...state.offPeak, ...offPeak, lanes: state.offPeak.lanes } : null,
    workers: Object.keys(state.workers).length,
  };
}

function rateViews(state: BudgetState, now: number): WindowView[] {
  return state.slots.map((window, index) => {
    const limit = limitNow(window, now);
    const units = Math.min(window.max, unitsInUse(state, index) + sum(window.cooling.map(([count]) => count)));
    return {
      name: window.name,
      kind: window.ms === 0 ? 'concurrent' : 'rate',
      ms: window.ms,
      max: window.max,
      limit,
      used: units,
      leased: 0,
      left: Math.max(0, limit - units),
      kept: 0,
      foreign: Math.round(foreignNow(window, now)),
      refused: state.refusals[window.name] ?? 0,
      ceiling: ceilingNow(window, now),
      resetMs: units < limit ? 0 : window.ms,
      spentInMs: null,
      startsAnewMs: null,
      usedAtReset: null,
      high: state.alerts.high.includes(window.name),
    };
  });
}

function countViews(state: BudgetState, now: number): WindowView[] {
  const shares = sharesInForce(state);
  return state.counts.map((window) => {
    const leased = sum(Object.values(state.workers).map(({ counts }) => counts[window.name]?.left ?? 0));
    const units = used(window) + leased;
    const limit = countLimit(window);
    const left = Math.max(0, limit - window.foreign - units);
    return {
      name: window.name,
      kind: 'count',
      ms: window.ms,
      max: window.max,
      limit: Math.max(0, limit - window.foreign),
      used: units,
      leased,
      left,
      kept: Math.min(left, kept(window, now, shares)),
      foreign: window.foreign,
      refused: state.refusals[window.name] ?? 0,
      ceiling: 1,
      resetMs: left > 0 && now >= window.closedUntil ? 0 : resetMs(window, now),
      ...outlook(window, now, left),
      high: state.alerts.high.includes(window.name),
    };
  });
}

function spenders(state: BudgetState, now: number, of: { waiting: readonly WaitingWork[]; offPeak: OffPeakReply | null }): SpenderView[] {
  const { waiting, offPeak } = of;
  const longest = longestSlots(state);
  const groups = demandGroups(state, waiting);
  const all = new Map<string, Omit<SpenderView, keyof Estimate>>();
  const spender = (sync: string, asked: Lane) => {
    const lane = state.lanes[sync] ?? asked;
    const id = `${sync}/${lane}`;
    let one = all.get(id);
    if (!one)
      all.set(id, (one = { sync, lane, today: 0, refused: 0, waiting: 0, inWindow: 0, held: isHeld(state, sync, lane), shutMs: shutMs(offPeak, lane) }));
    return one;
  };
  for (const { sync, lane, units, refused } of state.usage) {
    const one = spender(sync, lane);
    one.today += units;
    one.refused += refused;
  }
  // Who is asked about is answered for, though it neither spent nor wants anything.
  for (const { sync, lane } of waiting) spender(sync, lane);
  for (const { group } of groups) {
    const one = spender(group.sync, group.lane);
    one.waiting += group.waiting;
    one.inWindow += group.used[longest] ?? 0;
  }
  return [...all.values()]
    .sort((a, b) => b.today - a.today)
    .map((one) => ({ ...one, ...estimate(state, { now, offPeak, groups }, { sync: one.sync, lane: one.lane, calls: one.waiting }) }));
}
