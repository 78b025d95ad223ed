import type { CallReport } from '../../activities/deps';
import { breakerDefaults, count, failed, mostRecords, newBreaker, reached } from '../../workflows/budget/breaker';
import type { BreakerReply, CallsReport, LeaseRequest } from '../../workflows/budget/protocol';

/** Until the budget's word comes: how long our own failures alone keep the door shut, milliseconds. */
const provisionalMs = 2_000;

/** What one process knows of a scope's breaker, and has to tell the budget of. Monotonic milliseconds. */
export class BreakerMirror {
  private openUntil = 0;
  private halfOpen = false;
  /** `held`: ours to make; `out`: under way. */
  private probe: 'none' | 'held' | 'out' = 'none';
  private probeEnd: 'good' | 'bad' | 'unused' | undefined;
  /** Records (key HMACs) the probe had better not be, while it is not closed. */
  suspects: readonly string[] = [];
  ramp = 1;
  /** When a record last landed, in whichever worker. */
  landedAt = -Infinity;
  /** In this one: what is heard of others must not be told again as news, a little later each time. */
  private ownLandedAt = -Infinity;
  private toldLandedAt = -Infinity;
  private failures: { at: number; records: string[]; connection: boolean; since: number }[] = [];
  /** How all calls ended, by second and by the request that says so first. */
  private calls: (Omit<CallsReport, 'ms'> & { at: number })[] = [];
  /** The same rules on our own calls alone: they stop us before the budget has answered. */
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
    const records = bad ? end.failed.slice(0, breakerDefaults.records) : [];
    if (good || bad) this.count(records, now, since);
    if (good) {
      this.landedAt = this.ownLandedAt = now;
      count(this.own, now, { answered: 1, failed: 0, records });
      reached(this.own);
      this.failures = [];
    }
    if (bad) {
      this.failures.push({ at: now, records, connection: end.connection, since });
      failed(this.own, now, records, end.connection);
      if (this.own.openUntil > 0 && this.openUntil <= now && !this.halfOpen) this.openUntil = now + provisionalMs;
      // Until the budget says the same, or more.
      if (this.own.openUntil > 0) this.suspect(this.own.suspects);
      if (this.probe === 'out') this.suspect(records);
    }
    if (this.probe === 'out') {
      this.probe = 'none';
      this.probeEnd = good ? 'good' : bad ? 'bad' : 'unused';
    }
  }

  private suspect(records: readonly string[]): void {
    this.suspects = [...new Set([...this.suspects, ...records])].slice(-mostRecords);
  }

  /** A call that ended: for these records it failed, for none it was answered. */
  private count(records: string[], now: number, since: number): void {
    const failures = records.length > 0 ? 1 : 0;
    let last = this.calls.at(-1);
    if (!last || last.since !== since || Math.floor(last.at / 1_000) !== Math.floor(now / 1_000))
      this.calls.push((last = { at: now, answered: 0, failed: 0, records: [], since }));
    last.at = now;
    last.answered += 1 - failures;
    last.failed += failures;
    last.records = [...new Set([...last.records, ...records])].slice(-mostRecords);
  }

  /** Calls failed that the budget has not heard of. */
  private get unheard(): boolean {
    return this.calls.some(({ failed }) => failed > 0);
  }

  /** Something the budget should hear at once. */
  get urgent(): boolean {
    return this.failures.length > 0 || this.probeEnd !== undefined || (this.own.openUntil > 0 && this.unheard);
  }

  request(now: number): Pick<LeaseRequest, 'failures' | 'calls' | 'answeredMs' | 'probe'> {
    this.calls = this.calls.filter(({ at }) => now - at < breakerDefaults.windowMs);
    const failures = this.failures.map(({ at, ...rest }) => ({ ms: now - at, ...rest }));
    const calls = this.calls.map(({ at, ...rest }) => ({ ms: now - at, ...rest }));
    return {
      ...(failures.length > 0 ? { failures } : {}),
      ...(calls.length > 0 ? { calls } : {}),
      ...(this.ownLandedAt > this.toldLandedAt ? { answeredMs: now - this.ownLandedAt } : {}),
      ...(this.probeEnd === undefined ? {} : { probe: this.probeEnd }),
    };
  }

  apply(reply: BreakerReply, request: { seq: number; sentAt: number; probe?: string | undefined }, now: number): void {
    this.failures = this.failures.filter(({ since }) => since > request.seq);
    this.calls = this.calls.filter(({ since }) => since > request.seq);
    this.toldLandedAt = Math.max(this.toldLandedAt, Math.min(this.ownLandedAt, request.sentAt));
    if (request.probe !== undefined) this.probeEnd = undefined;
    if (reply.landedMs >= 0) this.landedAt = Math.max(this.landedAt, now - reply.landedMs);
    // A reply to what was asked before these failures says nothing of them: our own word stands until the budget has heard it.
    const { unheard } = this;
    this.openUntil = reply.openMs > 0 ? now + reply.openMs : unheard ? this.openUntil : 0;
    this.halfOpen = reply.openMs > 0 || reply.halfOpen;
    if (!unheard) this.suspects = reply.suspects ?? (this.halfOpen ? this.suspects : []);
    this.ramp = reply.ramp;
    if (reply.probe) this.probe = 'held';
    if (!this.halfOpen) {
      this.probe = 'none';
      if (this.own.openUntil > 0 && !unheard) this.own = newBreaker();
    }
  }
}
