import type { Lane } from '../../schemas/plan';
import type { LeaseReply } from '../../workflows/budget/protocol';

/** How long a full house is remembered: a share must not fall because of one quiet renewal. */
const fullMs = 5_500;
/** A group that neither waited nor spent for so long is left out. */
const forgottenMs = 60_000;

/** The calls of one sync in one lane, in one scope of this process. */
export interface Group {
  readonly key: string;
  readonly sync: string;
  /** As the callers ask. */
  readonly asked: Lane;
  /** As it is served: an operator may have changed it. */
  lane: Lane;
  /** Units waiting. */
  waiting: number;
  /** Calls waiting, by what each takes. */
  readonly costs: Map<number, number>;
  /** Units since the term began. */
  spent: number;
  blockedAt: number;
  usedAt: number;
  /** Calls per millisecond it is sure of. */
  floorPerMs: number;
  /** Its part of its lane. */
  weight: number;
}

/** A call of so many units waits in the group, or (`-1`) does no more. */
export function waits(group: Group, units: number, calls: 1 | -1): void {
  group.waiting += calls * units;
  const count = (group.costs.get(units) ?? 0) + calls;
  if (count > 0) group.costs.set(units, count);
  else group.costs.delete(units);
}

/** What the dearest call waiting takes, if that is more than one unit. */
export function dearest({ costs }: Group): { cost?: number } {
  const cost = Math.max(1, ...costs.keys());
  return cost > 1 ? { cost } : {};
}

/** Who wants calls of one scope, and what the budget says of each. */
export class Groups {
  private readonly groups = new Map<string, Group>();
  /** Lanes an operator changed, by sync, as the budget said last. */
  private changed: Readonly<Record<string, Lane>> = {};

  of(sync: string, lane: Lane): Group {
    const key = `${lane}/${sync}`;
    let group = this.groups.get(key);
    if (!group) {
      group = {
        key,
        sync,
        asked: lane,
        lane: this.changed[sync] ?? lane,
        waiting: 0,
        costs: new Map(),
        spent: 0,
        blockedAt: -Infinity,
        usedAt: -Infinity,
        floorPerMs: 0,
        weight: 1,
      };
      this.groups.set(key, group);
    }
    return group;
  }

  isFull(group: Group, now: number): boolean {
    return now - group.blockedAt < fullMs;
  }

  /** Live records passed not long ago: bulk leaves them some slots. */
  hasLive(now: number): boolean {
    return [...this.groups.values()].some((group) => group.lane === 'live' && now - group.usedAt < forgottenMs);
  }

  /** Groups worth telling of; drops those long silent. */
  current(now: number): Group[] {
    for (const group of this.groups.values()) {
      if (group.waiting === 0 && now - group.usedAt >= forgottenMs) this.groups.delete(group.key);
    }
    return [...this.groups.values()];
  }

  get waiting(): number {
    return [...this.groups.values()].reduce((total, group) => total + group.waiting, 0);
  }

  /** @param windowMs the window the replies speak of */
  apply({ groups, fresh, lanes }: Pick<LeaseReply, 'groups' | 'fresh' | 'lanes'>, windowMs: number): void {
    this.changed = lanes ?? {};
    if (lanes) for (const group of this.groups.values()) group.lane = lanes[group.sync] ?? group.asked;
    if (fresh) for (const group of this.groups.values()) group.spent = 0;
    for (const reply of groups) {
      const group = this.groups.get(`${reply.asked}/${reply.sync}`);
      if (group) Object.assign(group, { lane: reply.lane, floorPerMs: reply.floor / Math.max(1_000, windowMs), weight: reply.weight });
    }
  }
}
