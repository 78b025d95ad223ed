/** What one process has leased of one long window. Monotonic milliseconds. */
export class CountStock {
  left = 0;
  /** Since the term began. */
  spent = 0;
  private closedUntil = 0;

  constructor(readonly name: string) {}

  readyAt(now: number, units: number): number {
    if (this.left >= units) return now;
    return this.closedUntil > now ? this.closedUntil : Infinity;
  }

  /** The budget said that nothing is left until then; known without a lease, too. */
  shutUntil(now: number): number {
    return this.left > 0 ? now : Math.max(now, this.closedUntil);
  }

  take(units: number): void {
    this.left -= units;
    this.spent += units;
  }

  giveBack(units: number): void {
    this.left += units;
    this.spent -= units;
  }

  /** What is over `keep` goes back with the next request. */
  apply(reply: { grant: number; keep: number; closedMs: number }, fresh: boolean, now: number): void {
    if (fresh) this.left = this.spent = 0;
    this.left = Math.min(this.left, reply.keep) + reply.grant;
    this.closedUntil = now + reply.closedMs;
  }
}
