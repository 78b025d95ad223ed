import type { Lane } from '../../schemas/plan';

/** Order of service; the same as in `schemas/plan.ts`, which the sandbox doesn't load. */
export const laneOrder: readonly Lane[] = ['live', 'scheduled', 'backfill', 'replay'];

/** Part of a window each lane below the highest gets while the higher ones want everything. */
const lanePart = 0.05;

/**
 * Who comes first when there is not one for everybody changes with the turn: by an irrational number of places, so that no rhythm in
 * what is to be had in which turn brings back the same ones for ever; by another one at every level, for the same reason.
 */
export const places = { sync: (1 + Math.sqrt(5)) / 2, worker: Math.SQRT2, call: Math.sqrt(3) } as const;

/** What a group of calls on one worker wants of a window, in slots. */
export interface Demand {
  worker: string;
  sync: string;
  lane: Lane;
  want: number;
  /** Of them so many are needed at one time: what its dearest call takes. */
  cost: number;
}

/** What it gets. `floor`: the part it is sure of; may be a fraction. */
export interface Allocation extends Demand {
  slots: number;
  floor: number;
}

/**
 * Splits a window: guaranteed shares first, then a little for every lower lane, then lane by lane; inside a lane evenly by
 * sync, inside a sync evenly by worker. A share its sync doesn't want is anybody's. Whole slots; never more than `limit`.
 *
 * @param turn counts up every now and then: who goes without when there are more claims than slots changes with it
 */
export function allocate(limit: number, demands: readonly Demand[], shares: Readonly<Record<string, number>>, turn = 0): Allocation[] {
  const all: Allocation[] = demands.map((demand) => ({ ...demand, slots: 0, floor: 0 }));
  let left = Math.max(0, Math.floor(limit));
  const give = (amount: number, to: Allocation[], first = Math.floor(turn * places.sync)): void => {
    left -= bySync(Math.min(amount, left), to, first, turn);
  };

  const top = laneOrder.find((lane) => all.some((one) => one.lane === lane && one.want > 0));
  for (const lane of laneOrder) {
    if (lane === top) continue;
    const mine = all.filter((one) => one.lane === lane && one.want > 0);
    if (mine.length === 0) continue;
    const exact = limit * lanePart;
    for (const one of mine) one.floor = exact / mine.length;
    // Less than a slot: a whole one in some turns only.
    const given = Math.floor(exact * turn);
    give(Math.floor(exact * (turn + 1)) - given, mine, given);
  }
  for (const [sync, share] of Object.entries(shares)) {
    const mine = all.filter((one) => one.sync === sync && one.want > 0);
    const want = sum(mine.map((one) => one.want));
    const part = Math.min(want, limit * share);
    for (const one of mine) one.floor = Math.max(one.floor, (part * one.want) / want);
    for (const lane of laneOrder) {
      const inLane = mine.filter((one) => one.lane === lane);
      give(Math.max(0, Math.floor(part) - sum(mine.map((one) => one.slots))), inLane);
    }
  }
  for (const lane of laneOrder)
    give(
      left,
      all.filter((one) => one.lane === lane),
    );
  return all;
}

/** Evenly by sync, beginning at the `first`, then by worker; returns how many were given. */
function bySync(amount: number, to: Allocation[], first: number, turn: number): number {
  const open = to.filter((one) => one.want > one.slots);
  const syncs = [...new Set(open.map((one) => one.sync))];
  const groups = syncs.map((sync) => open.filter((one) => one.sync === sync));
  const parts = fairParts(
    amount,
    groups.map((group) => sum(group.map((one) => one.want - one.slots))),
    first,
  );
  groups.forEach((group, index) => {
    const inner = fairParts(
      parts[index] ?? 0,
      group.map((one) => one.want - one.slots),
      Math.floor(turn * places.worker),
    );
    group.forEach((one, position) => (one.slots += inner[position] ?? 0));
  });
  return sum(parts);
}

/** Max-min fair, in whole numbers. When there is not one for everybody, the `first` has one, and those after it. */
export function fairParts(amount: number, wants: readonly number[], first = 0): number[] {
  const parts = wants.map(() => 0);
  let left = Math.floor(amount);
  for (;;) {
    const open = wants.flatMap((want, index) => (want > (parts[index] ?? 0) ? [index] : []));
    if (left <= 0 || open.length === 0) return parts;
    const each = Math.floor(left / open.length);
    if (each === 0) {
      const start = parts.every((part) => part === 0) ? first : 0;
      for (let step = 0; step < left; step++) {
        const index = open[(start + step) % open.length] ?? 0;
        parts[index] = (parts[index] ?? 0) + 1;
      }
      return parts;
    }
    for (const index of open) {
      const more = Math.min(each, Math.ceil((wants[index] ?? 0) - (parts[index] ?? 0)));
      parts[index] = (parts[index] ?? 0) + more;
      left -= more;
    }
  }
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
