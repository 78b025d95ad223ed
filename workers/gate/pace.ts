/** Bulk lanes spend at this part of the even pace: all of a window is used, and no live call waits for a whole one. */
const bulkPart = 0.95;
/** What bulk could not send while all slots were taken, it may catch up on, so many calls at a time. */
const catchUp = 4;
/** Calls at once of a vendor that limits neither these nor short windows, as far as slow start is concerned. */
const unboundedAtOnce = 20;

/** When the next call of a scope in this process is due: bulk evenly spread over the windows, everything slower after an outage. Monotonic milliseconds. */
export class Pace {
  /** When something was last spent. */
  lastCall = -Infinity;
  private nextBulk = -Infinity;
  private spacing = 0;

  /** `spacing`: between two calls, were they spread evenly. `ramp`: the part of the rate in use, 0..1. */
  dueAt(bulk: boolean, spacing: number, ramp: number): number {
    const slow = ramp < 1 ? this.lastCall + spacing / ramp : -Infinity;
    return bulk ? Math.max(slow, this.nextBulk) : slow;
  }

  /** Slow start where no short window sets a pace: calls at once grow as the rate would. `slots`: what may go at once anyway. */
  atOnce(ramp: number, slots: readonly number[]): number {
    return ramp >= 1 ? Infinity : Math.max(1, Math.floor(ramp * Math.min(unboundedAtOnce, ...slots)));
  }

  /** Bulk was last looked at with this spacing. */
  note(spacing: number): void {
    this.spacing = spacing;
  }

  /** A call goes; the returned function takes it back, if none has gone since. */
  take(bulk: boolean, now: number): () => boolean {
    const before = { nextBulk: this.nextBulk, lastCall: this.lastCall };
    this.lastCall = now;
    if (bulk) this.nextBulk = Math.max(this.nextBulk, now - catchUp * this.spacing) + bulkPart * this.spacing;
    return () => {
      if (this.lastCall !== now) return false;
      Object.assign(this, before);
      return true;
    };
  }
}
