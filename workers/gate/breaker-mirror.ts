import type { CallReport } from '../../activities/deps';
import { failed, newBreaker, succeeded } from '../../workflows/budget/breaker';
import type { BreakerReply, FailureReport } from '../../workflows/budget/protocol';

/** Until the budget's word comes: how long our own failures alone keep the door shut, milliseconds. */
const provisionalMs = 2_000;

/** What one process knows of a scope's breaker, and has to tell the budget of. Monotonic milliseconds. */
export class BreakerMirror {
  private openUntil = 0;
  private halfOpen = false;
  /** `held`: ours to make; `out`: under way. */
  private probe: 'none' | 'held' | 'out' = 'none';
  private probeEnd: 'good' | 'bad' | 'unused' | undefined;
  ramp = 1;
  /** When a record last landed, in whichever worker. */
  landedAt = -Infinity;
  /** In this one: what is heard of others must not be told again as news, a little later each time. */
  private ownLandedAt = -Infinity;
  private toldLandedAt = -Infinity;
  private failures: { at: number; records: string[]; connection: boolean; since: number }[] = [];
  /** The same rules on our own calls alone: several failures in a row stop us before the budget has answered. */
  private own = newBreaker();

  /** 0 = calls may go; else when to ask again; `Infinity` = when the budget has said more. `probing`: asked by the probe that is out. */
  shutUntil(now: number, probing = false): number {
    if (now < this.openUntil) return this.openUntil;
    const may = this.probe === 'held' || (probing && this.probe === 'out');
    return this.halfOpen && !may ? Infinity : 0;
  }

  /** Until when it is open, for those who plan to come back; `now` = half-open, 0 = closed. */
  openUntilAt(now: number): number {
    if (now < this.openUntil) return this.openUntil;
    return this.halfOpen ? now : 0;
  }

  /** A permit is being taken: is it the probe? */
  takeProbe(): boolean {
    if (this.probe !== 'held') return false;
    this.probe = 'out';
    return true;
  }

  /** The permit came back unspent. */
  returnProbe(): void {
    if (this.probe === 'out') this.probe = 'held';
  }

  get probing(): boolean {
    return this.probe === 'out';
  }

  report(end: CallReport, now: number, since: number): void {
    const good = end.answered.length > 0;
    const bad = !good && end.failed.length > 0;
    if (good) {
      this.landedAt = this.ownLandedAt = now;
      succeeded(this.own);
      this.failures = [];
    }
    if (bad) {
      this.failures.push({ at: now, records: end.failed.slice(0, 3), connection: end.connection, since });
      failed(this.own, now, end.failed, end.connection);
      if (this.own.openUntil > 0 && this.openUntil <= now && !this.halfOpen) this.openUntil = now + provisionalMs;
    }
    if (this.probe === 'out') {
      this.probe = 'none';
      this.probeEnd = good ? 'good' : bad ? 'bad' : 'unused';
    }
  }

  /** Something the budget should hear at once. */
  get urgent(): boolean {
    return this.failures.length > 0 || this.probeEnd !== undefined;
  }

  request(now: number): { failures?: FailureReport[]; answeredMs?: number; probe?: 'good' | 'bad' | 'unused' } {
    const failures = this.failures.map(({ at, ...rest }) => ({ ms: now - at, ...rest }));
    return {
      ...(failures.length > 0 ? { failures } : {}),
      ...(this.ownLandedAt > this.toldLandedAt ? { answeredMs: now - this.ownLandedAt } : {}),
      ...(this.probeEnd === undefined ? {} : { probe: this.probeEnd }),
    };
  }

  apply(reply: BreakerReply, request: { seq: number; sentAt: number; probe?: string | undefined }, now: number): void {
    this.failures = this.failures.filter(({ since }) => since > request.seq);
    this.toldLandedAt = Math.max(this.toldLandedAt, Math.min(this.ownLandedAt, request.sentAt));
    if (request.probe !== undefined) this.probeEnd = undefined;
    if (reply.landedMs >= 0) this.landedAt = Math.max(this.landedAt, now - reply.landedMs);
    // A reply to what was asked before these failures says nothing of them: our own word stands until the budget has heard it.
    const unheard = this.failures.length > 0;
    this.openUntil = reply.openMs > 0 ? now + reply.openMs : unheard ? this.openUntil : 0;
    this.halfOpen = reply.openMs > 0 || reply.halfOpen;
    this.ramp = reply.ramp;
    if (reply.probe) this.probe = 'held';
    if (!this.halfOpen) {
      this.probe = 'none';
      if (this.own.openUntil > 0 && !unheard) this.own = newBreaker();
    }
  }
}
