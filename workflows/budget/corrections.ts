import { resetMs, closeCounts, countLimit, used, type CountWindow } from './counts';
import type { LimitReport, Refusal } from './protocol';
import type { BudgetState, Correction } from './state';
import type { SlotWindow } from './slots';

type Slots = SlotWindow & Correction;

/** A 429 lowers the ceiling by this part, once per window, and never below the least; it recovers as slowly. */
const step = 0.04;
const leastCeiling = 0.5;
const recoverPart = 0.01;
/** A foreigner's average is taken over about this many readings, and fades when none come. */
const smoothing = 0.2;
const fadeMs = 30_000;
/**
 * Part of the foreign average taken off the limit in advance. The rest is left to the workers' own brake, which sees every
 * reply: taking all of it off would also give away what a foreigner leaves in its quiet moments.
 */
const foreignPart = 0.7;

/** The limit in force: declared or the vendor's own, whichever is stricter, less foreign use, less what 429s taught. */
export function limitNow(window: Slots, now: number): number {
  const max = window.said > 0 ? Math.min(window.max, window.said) : window.max;
  const foreign = Math.floor(foreignNow(window, now) * foreignPart);
  return Math.max(1, Math.floor(max * ceilingNow(window, now)) - foreign);
}

export function ceilingNow(window: Slots, now: number): number {
  if (window.ceiling >= 1) return 1;
  const windows = (now - window.ceilingAt) / Math.max(5_000, window.ms);
  return Math.min(1, window.ceiling + recoverPart * windows);
}

export function foreignNow(window: Slots, now: number): number {
  const age = Math.max(0, now - window.foreignAt - window.ms);
  return age >= fadeMs ? 0 : window.foreign * (1 - age / fadeMs);
}

/** Every worker pauses; the quota that refused is used less for a while. */
export function refused(state: BudgetState, refusal: Refusal, now: number): void {
  const day = state.counts.find(({ name }) => name === refusal.limit);
  const named = state.slots.filter(({ name }) => name === refusal.limit);
  const known = (day ?? named[0])?.name ?? '';
  state.refusals[known] = (state.refusals[known] ?? 0) + 1;
  if (day) {
    if (now >= day.closedUntil) closeCounts(day, now, refusal.pauseMs);
    return;
  }
  state.pausedUntil = Math.max(state.pausedUntil, now + refusal.pauseMs);
  for (const window of named.length > 0 ? named : state.slots) {
    // Calls on the wire together are refused together: one lesson.
    if (now - window.ceilingAt < Math.max(1_000, window.ms) && window.ceilingAt > 0) continue;
    window.ceiling = Math.max(leastCeiling, ceilingNow(window, now) - step);
    window.ceilingAt = now;
  }
}

/** What the headers say of a short window: whatever is used and not ours is somebody else's. */
export function readSlots(window: Slots, reading: LimitReport, othersUsed: number, now: number): void {
  if (isOld(window, reading, now)) return;
  if (reading.max !== undefined && reading.max > 0) window.said = reading.max < window.max ? reading.max : 0;
  if (reading.remaining === undefined) return;
  const max = window.said > 0 ? window.said : Math.max(window.max, reading.max ?? 0);
  const sample = Math.max(0, max - reading.remaining - reading.own - othersUsed);
  window.foreign = foreignNow(window, now) * (1 - smoothing) + sample * smoothing;
  window.foreignAt = now;
}

/** Another worker has told of a later answer of the vendor's. */
function isOld(window: { readAt?: number }, { agoMs = 0 }: LimitReport, now: number): boolean {
  const at = now - agoMs;
  if (at < (window.readAt ?? -Infinity)) return true;
  window.readAt = at;
  return false;
}

/** What they say of a long one. Our own count or the vendor's, the stricter wins. */
export function readCounts(window: CountWindow, reading: LimitReport, now: number): void {
  if (isOld(window, reading, now)) return;
  if (window.kind === 'fixed' && reading.resetMs !== undefined) window.anchor = now - (reading.agoMs ?? 0) + reading.resetMs;
  if (reading.max !== undefined && reading.max > 0) window.said = reading.max < window.max ? reading.max : 0;
  if (reading.remaining === undefined) return;
  const vendorUsed = (reading.max ?? countLimit(window)) - reading.remaining;
  window.foreign = Math.max(0, vendorUsed - used(window));
  // It counts again: the refusal is over.
  if (reading.remaining > 0) window.closedUntil = window.closedForMs = 0;
}

/** Until every quota can be expected to have room, milliseconds. */
export function closedMs(state: BudgetState, now: number): number {
  const spent = state.counts.filter((window) => used(window) + window.foreign >= countLimit(window) || now < window.closedUntil);
  return Math.max(0, state.pausedUntil - now, ...spent.map((window) => resetMs(window, now)));
}
