import type { Refusal } from '../../workflows/budget/protocol';

/** 429s that one process met in one scope: how long nothing leaves, and what the budget is to hear. Monotonic milliseconds. */
export class Refusals {
  /** Nothing leaves before; by a 429 of ours, or as the budget says. */
  until = -Infinity;
  /** Our own doubt: what we would wait if the vendor said nothing. */
  private pauseMs = 0;
  private told: { sync: string; limit?: string; until: number; since: number }[] = [];

  /**
   * Nothing leaves for as long as the vendor says, and at least one second, then two, …: a vendor that says 0, or names a
   * moment that is over, and refuses again is not to be taken at its word. The others hear of it from the budget.
   *
   * @param since the request that will say so first
   */
  note(refusal: { sync: string; retryAfterMs?: number; limitName?: string }, now: number, since: number): void {
    const { sync, retryAfterMs, limitName } = refusal;
    if (now >= this.until) this.pauseMs = Math.min(10_000, Math.max(1_000, this.pauseMs * 2));
    this.until = Math.max(this.until, now + Math.max(retryAfterMs ?? 0, this.pauseMs));
    this.told.push({ sync, ...(limitName === undefined ? {} : { limit: limitName }), until: this.until, since });
  }

  /** An answer that was none: after a minute of them the next refusal is the first again. */
  answered(now: number): void {
    if (now - this.until > 60_000) this.pauseMs = 0;
  }

  /** The budget lets nothing go for so long. */
  pause(ms: number, now: number): void {
    if (ms > 0) this.until = Math.max(this.until, now + ms);
  }

  request(now: number): Refusal[] {
    return this.told.map(({ until, ...rest }) => ({ ...rest, pauseMs: Math.max(0, until - now) }));
  }

  /** The budget has heard everything said up to this request. */
  heard(seq: number): void {
    this.told = this.told.filter(({ since }) => since > seq);
  }

  /** Something was not said yet in any request up to this one. */
  isNewsSince(seq: number): boolean {
    return this.told.some(({ since }) => since > seq);
  }
}
