import { acknowledge, handOut, watch } from './alerts';
import { sharesInForce } from './commands';
import { forgetCounts, grantCounts, hearCounts, settleCounts, type CountHolding } from './counts';
import { closedMs, foreignNow, limitNow, readCounts, readSlots, refused } from './corrections';
import { demandOf, laneOf, longestSlots, offPeakNow } from './demand';
import { bulkReply, noteLive } from './kept';
import type { GroupDemand, GroupReply, LeaseReply, LeaseRequest } from './protocol';
import { breakerReply, forgetProber, hearHealth } from './recovery';
import { allocate, sum, type Allocation } from './shares';
import { forget, hear, move, settle, type SlotHolding } from './slots';
import { inTurns } from './turns';
import { setLimits, startOfDay, type BudgetState, type WorkerDemand, type WorkerLease } from './state';

/** Times of a lease, milliseconds. */
export interface LeaseTimes {
  /** How long a lease holds. Longer than the worker that hosts the budget takes to be replaced (about 5 s). */
  leaseMs: number;
  renewMs: number;
  /** While slots are still missing. */
  shortMs: number;
  /** While the vendor's door is shut, for those who wait. */
  closedMs: number;
  /** A worker's own lease ends before ours; this much more for a call just sent. */
  slackMs: number;
  /** Longest time between taking a permit and the end of its call. */
  permitMs: number;
}

export const leaseTimes: LeaseTimes = { leaseMs: 6_000, renewMs: 2_500, shortMs: 500, closedMs: 5_000, slackMs: 1_000, permitMs: 30_000 };

/** Slots kept free for live records while some pass: part of the window, at least so many, at most a quarter. */
const reservePart = 0.03;
const leastReserve = 2;
/** A pace over less than this is chance, milliseconds. */
const shortestAsk = 250;
/** Who goes without, when there are more claims than slots, changes this often. */
const turnMs = 10_000;

/** One request of one worker: changes the state and answers. Takes one workflow task, no timer, no activity. */
export function lease(state: BudgetState, request: LeaseRequest, clock: number, times = leaseTimes): LeaseReply {
  const now = (state.now = Math.max(state.now, clock));
  expire(state, now, times);
  // Who knows no limits, of a scope that has some, is not asked: it declares another version of the account.
  if (request.limits && (request.limits.length > 0 || state.slots.length + state.counts.length === 0)) {
    setLimits(state, request.limits);
    state.told = true;
  }
  // Started anew while its workers live on: without limits it must not say yes to everything.
  if (!state.told) return { ...stale(state, request, now, times), unknown: true };
  if (request.shares) state.shares = request.shares;
  if (request.offPeak !== undefined) state.offPeak = request.offPeak;
  acknowledge(state, request.alerted ?? []);
  const before = state.workers[request.worker];
  // Answered already, or overtaken by a later one: what it says is no longer so.
  if (before && request.seq <= before.seq) return stale(state, request, now, times);
  const same = before !== undefined && before.term === request.term;
  // A term that was never applied: what it granted was never used, and the promised slots cool on.
  if (before && !same) for (const window of state.slots) hear(window, slotsOf(before, window.name), { holding: 0, gaveUp: [] }, { now, lost: true, known: 0 });
  const mine = same ? before : newLease(++state.terms);
  state.workers[request.worker] = mine;
  const known = before?.seq ?? 0;

  listen(state, request, mine, { now, known, lost: request.ack < known, fresh: !same, times });
  mine.seq = request.seq;
  mine.end = now + times.leaseMs;
  watch(state, now);
  const alerts = handOut(state, now);
  const reply = { ...answer(state, request, mine, !same, now, times), ...(alerts.length > 0 ? { alerts } : {}) };
  if (request.release) {
    for (const window of state.slots) forget(window, slotsOf(mine, window.name), now);
    forgetProber(state, request.worker);
    delete state.workers[request.worker];
  }
  return reply;
}

/** Worker leases that ended: what they held cools for a window, what they had leased counts as spent. */
export function expire(state: BudgetState, now: number, times = leaseTimes): void {
  for (const [name, worker] of Object.entries(state.workers)) {
    const gone = worker.end + times.slackMs;
    if (gone > now) continue;
    for (const window of state.slots) forget(window, slotsOf(worker, window.name), gone + (window.ms === 0 ? times.permitMs : window.ms));
    for (const window of state.counts) forgetCounts(window, countsOf(worker, window.name), now);
    forgetProber(state, name);
    delete state.workers[name];
  }
  for (const window of state.slots) settle(window, now);
  for (const window of state.counts) settleCounts(window, now);
  if (state.usageDay !== startOfDay(now)) {
    state.usageDay = startOfDay(now);
    state.usage = [];
    state.refusals = {};
  }
}

interface Heard {
  now: number;
  known: number;
  lost: boolean;
  fresh: boolean;
  times: LeaseTimes;
}

function listen(state: BudgetState, request: LeaseRequest, mine: WorkerLease, at: Heard): void {
  if (!at.fresh) {
    for (const window of state.slots) {
      const said = request.slots.find(({ name }) => name === window.name) ?? { holding: 0, gaveUp: [] };
      hear(window, slotsOf(mine, window.name), said, at);
    }
    for (const window of state.counts) {
      const said = request.counts.find(({ name }) => name === window.name);
      if (said) hearCounts(window, countsOf(mine, window.name), said, at);
    }
    account(state, request.demand, mine.demand, at.now);
  }
  mine.demand = at.fresh ? request.demand.map((group) => ({ ...group, spent: 0 })) : paced(request.demand, mine, at.now, at.times);
  for (const refusal of request.refusals ?? []) {
    if (refusal.since <= at.known) continue;
    refused(state, refusal, at.now);
    usageOf(state, refusal.sync, request.demand.find(({ sync }) => sync === refusal.sync)?.lane ?? 'live').refused++;
  }
  const others = Object.entries(state.workers).filter(([name]) => name !== request.worker);
  for (const reading of request.readings ?? []) {
    const slots = state.slots.findIndex(({ name }) => name === reading.name);
    const window = state.slots[slots];
    if (window) readSlots(window, reading, sum(others.flatMap(([, worker]) => worker.demand.map(({ used }) => used[slots] ?? 0))), at.now);
    const counts = state.counts.find(({ name }) => name === reading.name);
    if (counts) readCounts(counts, reading, at.now);
  }
  hearHealth(state, request, at.now, at.known);
}

function answer(state: BudgetState, request: LeaseRequest, mine: WorkerLease, fresh: boolean, now: number, times: LeaseTimes): LeaseReply {
  const leaving = request.release === true;
  const waiting = request.demand.some((group) => group.waiting > 0 || group.full);
  const breaker = breakerReply(state, request.worker, now, waiting && !leaving);
  const turn = turnNow(state, now);
  const shares = sharesInForce(state);
  const offPeak = offPeakNow(state, now);
  let short = false;
  let asked = false;
  let groups: GroupReply[] = [];
  const longest = longestSlots(state);
  const slots = state.slots.map((window, index) => {
    const limit = limitNow(window, now);
    const demands = Object.entries(state.workers).flatMap(([worker, { demand }]) =>
      demand.map((group) => demandOf(state, worker, group, { window: index, limit, offPeak })),
    );
    const allocations = inTurns(allocate(limit, demands, shares, turn), limit, turn);
    const target = targets(allocations, limit);
    const holding = slotsOf(mine, window.name);
    const others = Object.entries(state.workers)
      .filter(([name]) => name !== request.worker)
      .map(([name, worker]) => ({ holding: slotsOf(worker, window.name), target: target(name) }));
    const wanted = leaving ? 0 : target(request.worker);
    const moved = leaving ? { grant: 0, later: [], keep: 0 } : move(window, holding, others, { now, limit, target: wanted });
    short ||= holding.granted < wanted && demands.some(({ worker, want }) => worker === request.worker && want > 0);
    asked ||= moved.keep < holding.granted - moved.grant - sum(moved.later.map(([count]) => count));
    // The longest window is the scarcest over time: it decides who is served in which proportion.
    if (index === longest) {
      groups = allocations.filter(({ worker }) => worker === request.worker).map((one, position) => groupReply(one, request.demand[position]));
    }
    const foreign = foreignNow(window, now);
    return { name: window.name, ms: window.ms, ...moved, reserve: reserve(state, limit), foreign: Math.round(foreign * 10) / 10, max: limit };
  });
  if (state.slots.length === 0)
    groups = request.demand.map((group) =>
      groupReply({ ...demandOf(state, request.worker, group, { window: 0, limit: 1, offPeak }), slots: 1, floor: 0 }, group),
    );
  const counts = state.counts.map((window) => {
    const others = Object.entries(state.workers).flatMap(([name, worker]) => (name === request.worker ? [] : [countsOf(worker, window.name)]));
    const bulk = bulkReply(window, others, { now, shares });
    const [live, rest] = [true, false].map((isLive) => countsWanted(mine.demand.filter((group) => (laneOf(state, group) === 'live') === isLive)));
    // What bulk may not take is not leased for it.
    const want = leaving ? 0 : live! + Math.min(rest!, bulk ? Math.max(bulk.left, ...Object.values(bulk.shared)) : Infinity);
    return { name: window.name, ...grantCounts(window, countsOf(mine, window.name), others, { now, want }), ...(bulk ? { bulk } : {}) };
  });
  const shut = closedMs(state, now) > times.renewMs || breaker.openMs > times.renewMs || breaker.halfOpen;
  return {
    v: 1,
    seq: request.seq,
    term: mine.term,
    fresh,
    leaseMs: times.leaseMs,
    renewMs: asked ? 0 : shut ? Math.min(times.closedMs, Math.max(times.shortMs, breaker.openMs, closedMs(state, now))) : short ? times.shortMs : times.renewMs,
    slots,
    counts,
    groups,
    pauseMs: Math.max(0, state.pausedUntil - now),
    held: state.held,
    lanes: state.lanes,
    ...(offPeak ? { offPeak } : {}),
    breaker,
  };
}

/** Counts up every now and then. Where calls take several slots at one time these must be moved and used before the next turn. */
function turnNow({ slots, workers }: BudgetState, now: number): number {
  const dear = Object.values(workers).some(({ demand }) => demand.some(({ cost = 1 }) => cost > 1));
  return Math.floor(now / Math.max(turnMs, ...(dear ? slots.map(({ ms }) => 2 * ms) : [])));
}

/** What is left of a window: half of it to those who work, so that a burst needs no request; half for who comes next. */
function targets(allocations: readonly Allocation[], limit: number): (worker: string) => number {
  const busy = [...new Set(allocations.filter(({ want }) => want > 0).map(({ worker }) => worker))];
  const idle = limit - sum(allocations.map(({ slots }) => slots));
  const extra = busy.length === 0 ? 0 : Math.floor(idle / 2 / busy.length);
  return (worker) => sum(allocations.map((one) => (one.worker === worker ? one.slots : 0))) + (busy.includes(worker) ? extra : 0);
}

/** One reserve for the account, split over the workers that see live records. */
function reserve(state: BudgetState, limit: number): number {
  const withLive = Object.values(state.workers).filter(({ demand }) => demand.some((group) => laneOf(state, group) === 'live')).length;
  if (withLive === 0) return 0;
  const all = Math.min(limit / 4, Math.max(leastReserve, limit * reservePart));
  return Math.max(1, Math.round(all / withLive));
}

/** Enough for the next two renewals, at the pace so far and at that of the busiest window. */
function countsWanted(demand: readonly WorkerDemand[]): number {
  return sum(demand.map(({ waiting, used, full, perRenewal = 0 }) => waiting + 2 * Math.max(0, perRenewal, ...used) + (full ? 10 : 2)));
}

/** With the pace of each group since the request before: who makes no stop between two calls shows it in no window. */
function paced(said: readonly GroupDemand[], { demand: before, end }: WorkerLease, now: number, times: LeaseTimes): WorkerDemand[] {
  const renewals = Math.max(shortestAsk, now - (end - times.leaseMs)) / times.renewMs;
  return said.map((group) => {
    const heard = heardOf(before, group);
    const spent = Math.max(0, group.spent - (heard?.spent ?? 0));
    return { ...group, perRenewal: Math.ceil(Math.max(spent / renewals, (heard?.perRenewal ?? 0) / 2)) };
  });
}

function groupReply(one: Allocation, group: GroupDemand | undefined): GroupReply {
  return { sync: one.sync, lane: one.lane, asked: group?.lane ?? one.lane, floor: one.floor, weight: Math.max(1, one.slots) };
}

function account(state: BudgetState, said: readonly GroupDemand[], before: readonly GroupDemand[], now: number): void {
  for (const group of said) {
    const heard = heardOf(before, group)?.spent ?? 0;
    if (group.spent <= heard) continue;
    usageOf(state, group.sync, group.lane).units += group.spent - heard;
    if (laneOf(state, group) === 'live') for (const window of state.counts) noteLive(window, group.spent - heard, now);
  }
}

/** What a worker said of the same group in the request before. */
function heardOf<G extends GroupDemand>(before: readonly G[], { sync, lane }: GroupDemand): G | undefined {
  return before.find((group) => group.sync === sync && group.lane === lane);
}

function usageOf(state: BudgetState, sync: string, lane: GroupDemand['lane']): BudgetState['usage'][number] {
  let usage = state.usage.find((one) => one.sync === sync && one.lane === lane);
  if (!usage) state.usage.push((usage = { sync, lane, units: 0, refused: 0 }));
  return usage;
}

function stale(state: BudgetState, request: LeaseRequest, now: number, times: LeaseTimes): LeaseReply {
  const breaker = { openMs: 0, halfOpen: false, probe: false, ramp: 1, landedMs: -1 };
  return {
    v: 1,
    seq: request.seq,
    term: request.term,
    fresh: false,
    stale: true,
    leaseMs: 0,
    renewMs: times.shortMs,
    slots: [],
    counts: [],
    groups: [],
    pauseMs: Math.max(0, state.pausedUntil - now),
    held: state.held,
    breaker,
  };
}

function newLease(term: number): WorkerLease {
  return { term, seq: 0, end: 0, slots: {}, counts: {}, demand: [] };
}

function slotsOf(worker: WorkerLease, name: string): SlotHolding {
  return (worker.slots[name] ??= { granted: 0, promised: [] });
}

function countsOf(worker: WorkerLease, name: string): CountHolding {
  return (worker.counts[name] ??= { left: 0, heardSpent: 0, promised: 0 });
}
