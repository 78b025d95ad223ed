import { fairParts, places, sum, type Allocation } from './shares';

/**
 * A call of several units needs all of them in one worker at one time. Split evenly, a window may leave every worker with less than
 * that, and then nobody's call ever goes. So groups whose worker would hold less than their dearest call takes have that in some
 * turns and nothing in the others, about as often as their part allows. Never more in all than was allocated.
 *
 * @param turn whose turn it is changes with it; must last long enough for slots to be moved and used
 */
export function inTurns(all: readonly Allocation[], limit: number, turn: number): Allocation[] {
  const isShort = (one: Allocation): boolean => {
    if (one.slots === 0 || one.cost <= one.slots || one.cost > limit) return false;
    return sum(all.filter(({ worker }) => worker === one.worker).map(({ slots }) => slots)) < one.cost;
  };
  const unordered = all.filter(isShort);
  const theirs = sum(unordered.map(({ slots }) => slots));
  const first = drawn(unordered, ((turn * places.call) % 1) * theirs);
  const next = unordered[first];
  if (!next) return [...all];
  const short = [...unordered.slice(first), ...unordered.slice(0, first)];
  const others = all.filter((one) => !short.includes(one));
  const given = new Map(all.map((one) => [one, short.includes(one) ? 0 : one.slots]));
  const change = (sign: 1 | -1, units: number, mostOf: (one: Allocation) => number): void => {
    const parts = fairParts(units, others.map(mostOf));
    others.forEach((one, index) => given.set(one, one.slots + sign * (parts[index] ?? 0)));
  };
  if (next.cost > theirs && (turn * places.sync) % 1 < theirs / next.cost) {
    // All of them together have less than its call: it is lent the rest, and pays it back in turns to come.
    given.set(next, next.cost);
    change(-1, next.cost - theirs, ({ slots }) => slots);
  } else {
    let left = theirs;
    for (const one of short) {
      if (one.cost > left) continue;
      given.set(one, one.cost);
      left -= one.cost;
    }
    const winner = short.find((one) => given.get(one) !== 0);
    if (winner) given.set(winner, given.get(winner)! + left);
    else change(1, left, ({ want, slots }) => Math.max(0, want - slots));
  }
  return all.map((one) => ({ ...one, slots: given.get(one)! }));
}

/** Whose slot it is, counted through all of them: everybody's turn comes as often as its part is large. */
function drawn(short: readonly Allocation[], slot: number): number {
  let before = 0;
  return short.findIndex(({ slots }) => (before += slots) > slot);
}
