import type { Lane } from '../../schemas/plan';
import type { LeaseReply } from '../../workflows/budget/protocol';

/** What may not go in one scope whatever permits there are: paused by an operator, or outside its lane's hours. Monotonic milliseconds. */
export class Holds {
  /** Until when what was sent back to wait for a resumption may come again: the lease is kept, or its queue would be polled meanwhile. */
  expectedUntil = -Infinity;
  /** What an operator paused, and when we first heard of it. */
  private paused = new Map<string, number>();
  private lanes: readonly Lane[] = [];
  private open = true;
  private changeAt = Infinity;

  /** The reply to a request sent at `sentAt`. Its way is time, too: hours begin by its arrival and end by its sending. */
  apply({ held, offPeak }: Pick<LeaseReply, 'held' | 'offPeak'>, sentAt: number, now: number): void {
    this.paused = new Map(held.map((what) => [what, this.paused.get(what) ?? now]));
    if (held.length === 0) this.expectedUntil = -Infinity;
    this.lanes = offPeak?.lanes ?? [];
    this.open = offPeak?.open ?? true;
    this.changeAt = offPeak ? (offPeak.open ? sentAt : now) + offPeak.changeMs : Infinity;
  }

  /** Since when it is paused, as far as we know; `Infinity` = it is not. */
  pausedSince({ sync, lane }: { sync: string; lane: Lane }): number {
    if (this.paused.size === 0) return Infinity; // asked for every permit of every line
    return Math.min(Infinity, ...['all', `lane:${lane}`, `sync:${sync}`].flatMap((one) => this.paused.get(one) ?? []));
  }

  /** Nothing of it goes now; asked with a lease in force. */
  holds(who: { sync: string; lane: Lane }, now: number): boolean {
    return this.pausedSince(who) < Infinity || this.isOver(who.lane, now);
  }

  /** Until when a lane may not send, as far as we know, with or without a lease; `now` = it may, or only the budget knows. */
  shutUntil(lane: Lane, now: number): number {
    return this.open || !this.lanes.includes(lane) ? now : Math.max(now, this.changeAt);
  }

  /** Hours that were on and are over by now: nothing goes until the budget has said when the next begin. */
  private isOver(lane: Lane, now: number): boolean {
    return this.open && this.lanes.includes(lane) && now >= this.changeAt;
  }
}
