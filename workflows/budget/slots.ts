import type { GaveUp, SlotReply } from './protocol';
import { sum } from './shares';

/**
 * A window of a minute or less, split into slots: each good for one unit per window. A worker with n slots keeps an exact
 * log and spends at most n per window, so the limit holds as long as slots held plus slots cooling never exceed it.
 * `ms` 0: calls in flight rather than a rate.
 */
export interface SlotWindow {
  name: string;
  ms: number;
  /** As declared. */
  max: number;
  /** Slots nobody holds, but the vendor may still count: how many, until when (epoch ms). */
  cooling: [count: number, until: number][];
}

/** One worker's part of a {@link SlotWindow}. */
export interface SlotHolding {
  /** Slots it may be using, by all it was ever told. */
  granted: number;
  /** Of these, cooling ones promised in the last reply, with their time: they cool on should the reply be lost. */
  promised: [count: number, until: number][];
}

/** Part of a window that must be missing before slots are moved. */
const worthPart = 0.05;

/** Drops what is no longer counted, and joins what cools to the same tenth of a second. */
export function settle(window: SlotWindow, now: number): void {
  const joined: [number, number][] = [];
  for (const [count, until] of window.cooling.filter(([, at]) => at > now).sort((a, b) => a[1] - b[1])) {
    const last = joined.at(-1);
    if (last && Math.ceil(last[1] / 100) === Math.ceil(until / 100)) {
      last[0] += count;
      last[1] = Math.max(last[1], until);
    } else joined.push([count, until]);
  }
  window.cooling = joined;
}

/** Takes in what a worker says it holds. `lost`: our last reply never reached it. */
export function hear(
  window: SlotWindow,
  mine: SlotHolding,
  said: { holding: number; gaveUp: GaveUp[] },
  at: { now: number; lost: boolean; known: number },
): void {
  if (at.lost) window.cooling.push(...mine.promised);
  mine.promised = [];
  // What it gave up in a request we had answered already is cooling since then.
  for (const [count, ms, since] of said.gaveUp) if (since > at.known && count > 0) window.cooling.push([count, at.now + ms]);
  mine.granted = Math.min(mine.granted, said.holding);
}

/** A worker that was never told of what it holds, or is gone for good since `after`: its slots cool. */
export function forget(window: SlotWindow, mine: SlotHolding, until: number): void {
  if (mine.granted > 0) window.cooling.push([mine.granted, until]);
  mine.granted = 0;
  mine.promised = [];
}

/** Every slot is somewhere: held, cooling, or free. Negative while a lowered limit is being reached. */
export function pool(window: SlotWindow, limit: number, holdings: readonly SlotHolding[]): number {
  return limit - sum(holdings.map((one) => one.granted)) - sum(window.cooling.map(([count]) => count));
}

/**
 * Moves one worker towards its target: more slots from the free ones, then from the cooling ones, soonest first; or the
 * wish to get some back, which counts only once the worker says so.
 */
export function move(
  window: SlotWindow,
  mine: SlotHolding,
  others: readonly { holding: SlotHolding; target: number }[],
  at: { now: number; limit: number; target: number },
): Pick<SlotReply, 'grant' | 'later' | 'keep'> {
  const free = pool(window, at.limit, [mine, ...others.map(({ holding }) => holding)]);
  const cooling = sum(window.cooling.map(([count]) => count));
  const held = mine.granted;
  if (held >= at.target) {
    const missing = sum(others.map(({ holding, target }) => Math.max(0, target - holding.granted)));
    // A slot or two are not worth a move, unless somebody has none.
    const worth = missing >= at.limit * worthPart || others.some(({ holding, target }) => target > 0 && holding.granted === 0);
    const othersShort = worth ? missing : 0;
    const mustGive = Math.max(othersShort - Math.max(0, free) - cooling, -free - cooling);
    return { grant: 0, later: [], keep: mustGive > 0 ? Math.max(at.target, held - mustGive) : held };
  }
  const grant = Math.max(0, Math.min(at.target - held, free));
  const later: [number, number][] = [];
  let wanted = at.target - held - grant;
  // After the limit was lowered, as many of the soonest to cool belong to nobody.
  let skip = Math.max(0, -free);
  const rest: [number, number][] = [];
  for (const [count, until] of [...window.cooling].sort((a, b) => a[1] - b[1])) {
    const skipped = Math.min(skip, count);
    skip -= skipped;
    const taken = Math.min(count - skipped, wanted);
    wanted -= taken;
    if (taken > 0) later.push([taken, until]);
    if (count > taken) rest.push([count - taken, until]);
  }
  window.cooling = rest;
  mine.granted = held + grant + sum(later.map(([count]) => count));
  mine.promised = later;
  return { grant, later: later.map(([count, until]) => [count, Math.max(0, until - at.now)]), keep: held };
}
