import type { Limit } from '../connector';

/** Counts of one quota so far. */
export interface LimitStats {
  /** Of vendors that count families of endpoints apart. */
  quota?: string;
  name: string;
  kind: Limit['kind'];
  ms?: number;
  /** null = not enforced. */
  max: number | null;
  /** Most calls let through in any one window (for `concurrent`: at once). */
  maxAccepted: number;
  /** Most calls that arrived in any one window, refused ones included. */
  maxArrived: number;
  /** Calls refused because of this limit. */
  refused: number;
}

/** Arrival times within the last `ms`. */
class Log {
  private times: number[] = [];
  private head = 0;

  constructor(private readonly ms: number) {}

  /** Calls in (now − ms, now]. */
  count(now: number): number {
    while (this.head < this.times.length && this.times[this.head]! <= now - this.ms) this.head += 1;
    if (this.head > 4096 && this.head * 2 > this.times.length) {
      this.times = this.times.slice(this.head);
      this.head = 0;
    }
    return this.times.length - this.head;
  }

  add(now: number): void {
    this.times.push(now);
  }
}

/** Calls since the last clock-aligned start. */
class Counter {
  private window = -1;
  private calls = 0;

  constructor(private readonly ms: number) {}

  count(now: number): number {
    const window = Math.floor(now / this.ms);
    if (window !== this.window) {
      this.window = window;
      this.calls = 0;
    }
    return this.calls;
  }

  add(now: number): void {
    this.count(now);
    this.calls += 1;
  }
}

interface Quota {
  limit: Limit;
  accepted: Log | Counter | null;
  arrived: Log | Counter | null;
  inFlight: number;
  stats: LimitStats;
}

/**
 * One caller's quotas, strictly by arrival time. A call counts when it arrives; a refused one uses nothing up. All limits
 * must have room, the first without refuses.
 */
export class Limiter {
  private readonly quotas: Quota[];

  constructor(
    limits: readonly Limit[],
    private readonly enforce: boolean,
    quotaName?: string,
  ) {
    this.quotas = limits.map((limit) => {
      const log = (): Log | Counter | null => (limit.kind === 'rolling' ? new Log(limit.ms) : limit.kind === 'fixed' ? new Counter(limit.ms) : null);
      return {
        limit,
        accepted: log(),
        arrived: log(),
        inFlight: 0,
        stats: {
          ...(quotaName === undefined ? {} : { quota: quotaName }),
          name: limit.name,
          kind: limit.kind,
          ...(limit.kind === 'concurrent' ? {} : { ms: limit.ms }),
          max: enforce ? limit.max : null,
          maxAccepted: 0,
          maxArrived: 0,
          refused: 0,
        },
      };
    });
  }

  /** Lets a call in (null) or names the limit that refuses it. Who was let in must `leave`. */
  arrive(now: number): Limit | null {
    let refusing: Quota | undefined;
    for (const quota of this.quotas) {
      quota.arrived?.add(now);
      const arrived = quota.arrived ? quota.arrived.count(now) : quota.inFlight + 1;
      quota.stats.maxArrived = Math.max(quota.stats.maxArrived, arrived);
      if (this.enforce && !refusing && this.used(quota, now) >= quota.limit.max) refusing = quota;
    }
    if (refusing) {
      refusing.stats.refused += 1;
      return refusing.limit;
    }
    for (const quota of this.quotas) {
      quota.accepted?.add(now);
      quota.inFlight += 1;
      quota.stats.maxAccepted = Math.max(quota.stats.maxAccepted, this.used(quota, now));
    }
    return null;
  }

  leave(): void {
    for (const quota of this.quotas) quota.inFlight -= 1;
  }

  /** Calls left in each quota now; none are spoken of while none are enforced: who reads the headers would keep to them. */
  remaining(now: number): { limit: Limit; remaining: number }[] {
    if (!this.enforce) return [];
    return this.quotas.map((quota) => ({ limit: quota.limit, remaining: Math.max(0, quota.limit.max - this.used(quota, now)) }));
  }

  stats(): LimitStats[] {
    return this.quotas.map((quota) => ({ ...quota.stats }));
  }

  private used(quota: Quota, now: number): number {
    return quota.accepted ? quota.accepted.count(now) : quota.inFlight;
  }
}
