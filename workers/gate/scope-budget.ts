import type { CallEnd } from '../../connectors/permit';
import type { LimitReading } from '../../connectors/connector';
import type { OffPeak } from '../../schemas/off-peak';
import type { Lane } from '../../schemas/plan';
import { queuedSync, type BudgetLimit, type LeaseReply, type LeaseRequest, type LimitReport } from '../../workflows/budget/protocol';
import { BreakerMirror } from './breaker-mirror';
import { CountStock } from './count-stock';
import { dearest, Groups, type Group } from './demand';
import { Holds } from './holds';
import { Pace } from './pace';
import { Refusals } from './refusals';
import { RoundTrips, type RoundTripOptions } from './round-trips';
import { SlotLog, type Call } from './slot-log';

export interface ScopeOptions {
  /** One per process start. */
  worker: string;
  limits: readonly BudgetLimit[];
  shares?: Readonly<Record<string, number>>;
  /** @default every lane sends always */
  offPeak?: OffPeak | null;
  roundTrips?: RoundTripOptions;
  /** Longest time between taking a permit and the end of its call, milliseconds. @default 30_000 */
  permitMs?: number;
  /** Slack the budget adds to a lease's end; must not be more here than there. @default 1_000 */
  slackMs?: number;
}

/** A brake on bulk while others spend from the same quota: so many units are left to them. */
const brakeAt = 2;

/** One call's hold on the scope. */
export interface Taken {
  /** The call tests whether the vendor is back. */
  probe: boolean;
  /** Taken too long ago, or of a lease that is over. */
  expired(now: number): boolean;
  /** The request leaves now. */
  sent(now: number): void;
  done(end: CallEnd, readings: readonly LimitReading[], now: number): void;
  giveBack(): void;
}

/** One budget scope in one process: what it may spend now, and what it tells the budget. Monotonic milliseconds. */
export class ScopeBudget {
  readonly groups = new Groups();
  readonly breaker = new BreakerMirror();
  readonly windows: SlotLog[] = [];
  readonly counts: CountStock[] = [];
  protected readonly trips: RoundTrips;
  protected readonly permitMs: number;
  private term = 0;
  private seq = 0;
  private ack = 0;
  /** The budget asked for the limits. */
  private tell = false;
  private leaseEnd = -Infinity;
  /** Should the budget forget us: everything sent in this lease cools there at least until then, plus a window. */
  private coolUntil = -Infinity;
  readonly holds = new Holds();
  private readonly refusals = new Refusals();
  /** Alerts delivered, by id, until the budget has heard of it. */
  readonly alerted = new Set<string>();
  private calls = 0;
  private out = 0;
  private readonly pace = new Pace();
  private readings = new Map<string, { report: LimitReport; at: number }>();

  constructor(private readonly options: ScopeOptions) {
    this.trips = new RoundTrips(options.roundTrips);
    this.permitMs = options.permitMs ?? 30_000;
  }

  hasLease(now: number): boolean {
    return now < this.leaseEnd;
  }

  get inFlight(): number {
    return this.out;
  }

  /** When something was last spent. */
  get spentAt(): number {
    return this.pace.lastCall;
  }

  /** Paused by a 429, or a long window is spent; `who`: or what is left of it is kept from its lane. */
  pausedUntil(now: number, who?: Group): number {
    return Math.max(now, this.refusals.until, ...this.counts.map((stock) => stock.shutUntil(now, who)));
  }

  /** When `units` can go; `Infinity` when calls on their way or the budget decide. `owed`: neither reserve nor pace holds it back. `probe`: of the call that tests the vendor. */
  readyAt(group: Group, units: number, now: number, { owed = false, probe = false } = {}): number {
    if (now < this.refusals.until) return this.refusals.until;
    const shut = this.breaker.shutUntil(now, probe);
    if (shut > 0) return shut;
    if (!this.hasLease(now)) {
      const paused = this.pausedUntil(now, group);
      return paused > now ? paused : Infinity;
    }
    if (this.holds.holds(group, now)) return Infinity;
    const shutLane = this.holds.shutUntil(group.lane, now);
    if (shutLane > now) return shutLane;
    const bulk = group.lane !== 'live';
    const keepsSome = bulk && !owed && this.groups.hasLive(now);
    let at = now;
    let spacing = 0;
    for (const window of this.windows) {
      // However dear a call is: what is kept must not shut it out for good.
      const keep = keepsSome ? Math.max(0, Math.min(window.reserve, Math.floor(window.held / 4), window.held - units)) : 0;
      const free = window.readyAt(now, units, keep);
      if (free > now) group.blockedAt = now; // told as more than can be counted
      at = Math.max(at, free, this.brakedUntil(window, bulk, now));
      // What live calls take is not bulk's to spread over the window: together they would fill it early, and then nobody goes.
      if (window.ms > 0 && window.held > 0) spacing = Math.max(spacing, (window.ms * units) / (bulk ? window.bulkSlots(keep) : window.held));
    }
    for (const stock of this.counts) at = Math.max(at, stock.readyAt(now, units, group));
    if (spacing === 0 && this.out >= this.atOnce()) at = Infinity;
    if (bulk) this.pace.note(spacing);
    at = Math.max(at, this.pace.dueAt(bulk && !owed, spacing, this.breaker.ramp));
    if (bulk && at > now) group.blockedAt = now;
    return at;
  }

  private atOnce(): number {
    const slots = this.windows.map(({ held }) => held);
    return this.pace.atOnce(this.breaker.ramp, slots);
  }

  /** Somebody else spends too, and the vendor says that little is left: wait until calls of ours leave the window. */
  private brakedUntil(window: SlotLog, bulk: boolean, now: number): number {
    if (window.ms === 0 || window.foreign < 1) return now;
    if (window.remaining(now, this.calls) > (bulk ? brakeAt : 0)) return now;
    return Math.max(now + 5, Math.min(window.nextGone(), now + window.ms / 10));
  }

  /** Spends; ask {@link readyAt} first. */
  take(group: Group, units: number, now: number): Taken {
    const call: Call = { sentAt: now, repliedAt: Infinity, group: group.key, live: group.lane === 'live', index: ++this.calls };
    const { term } = this;
    const probe = this.breaker.takeProbe();
    const takeBack = this.pace.take(group.lane !== 'live', now);
    const { usedAt } = group;
    for (const window of this.windows) window.add(call, window.ms === 0 ? 1 : units);
    for (const stock of this.counts) stock.take(units);
    group.spent += units;
    group.usedAt = now;
    this.out++;
    return {
      probe,
      // Half of the time is the call's own.
      expired: (at) => term !== this.term || !this.hasLease(at) || at - now > this.permitMs / 2,
      sent: (at) => void (call.sentAt = at),
      done: (end, readings, at) => {
        this.out--;
        call.repliedAt = at;
        if (end.status !== null) this.trips.note(call);
        for (const reading of readings) this.noteReading(reading, call, at);
        if (end.rateLimited) this.refusals.note({ sync: group.sync, ...end.rateLimited }, at, this.seq + 1);
        else if (end.status !== null) this.refusals.answered(at);
      },
      giveBack: () => {
        this.out--;
        group.spent -= units;
        if (probe) this.breaker.returnProbe();
        for (const window of this.windows) window.remove(call);
        if (term === this.term) for (const stock of this.counts) stock.giveBack(units);
        // Nobody took one since: as if it had never been asked for. A permit only tried is no sign of more to come.
        if (takeBack()) group.usedAt = usedAt;
      },
    };
  }

  private noteReading(reading: LimitReading, call: Call, now: number): void {
    const window = this.windows.find(({ name }) => name === reading.limit);
    if (!window && !this.counts.some(({ name }) => name === reading.limit)) return;
    const { limit: name, ...rest } = reading;
    this.readings.set(name, { report: { name, ...rest, own: window?.used() ?? 0 }, at: now });
    if (window && reading.remaining !== undefined) window.noteRemaining(call, reading.remaining, now);
  }

  /** Something the budget should hear at once. */
  get urgent(): boolean {
    return (
      this.alerted.size > 0 ||
      this.breaker.urgent ||
      this.refusals.isNewsSince(this.seq) ||
      this.windows.some((window) => window.gaveUp(-Infinity).some(([, , since]) => since > this.seq))
    );
  }

  /** The next request number: what happens from now on is first told in it. */
  get nextSeq(): number {
    return this.seq + 1;
  }

  request(now: number, backlog: number, release = false): LeaseRequest {
    this.seq++;
    if (release) for (const window of this.windows) window.shrink(0, now, this.seq);
    const readings = [...this.readings.values()].map(({ report, at }) => ({ ...report, agoMs: Math.max(0, Math.round(now - at)) }));
    this.readings = new Map();
    const refusals = this.refusals.request(now);
    const groups = this.groups.current(now);
    const request: LeaseRequest = {
      v: 1,
      worker: this.options.worker,
      term: this.term,
      seq: this.seq,
      ack: this.ack,
      ...(this.ack === 0 || this.tell ? { limits: [...this.options.limits], shares: { ...this.options.shares }, offPeak: this.options.offPeak ?? null } : {}),
      slots: this.windows.map((window) => ({ name: window.name, holding: window.held, gaveUp: window.gaveUp(now) })),
      counts: this.counts.map(({ name, left, spent }) => ({ name, left: release ? 0 : left, spent })),
      demand: groups.map((group) => ({
        sync: group.sync,
        lane: group.asked,
        waiting: release ? 0 : group.waiting,
        ...dearest(group),
        full: !release && this.groups.isFull(group, now),
        used: release ? [] : this.windows.map((window) => window.used(group.key)),
        spent: group.spent,
      })),
      ...(readings.length > 0 ? { readings } : {}),
      ...(refusals.length > 0 ? { refusals } : {}),
      ...this.breaker.request(now),
      ...(this.alerted.size > 0 ? { alerted: [...this.alerted] } : {}),
      ...(release ? { release } : {}),
    };
    // Nothing waits here yet, but in the task queue: tell of it, or nobody would ever be let in.
    if (backlog > 0 && this.groups.waiting === 0)
      request.demand.push({ sync: queuedSync, lane: 'scheduled', waiting: backlog, full: false, used: [], spent: 0 });
    if (release) {
      this.leaseEnd = -Infinity;
      this.coolUntil = Infinity; // told in full
      for (const stock of this.counts) stock.left = 0;
    }
    return request;
  }

  /** Takes in the answer to the request last made, sent at `sentAt`. Others are ignored: a later request corrects what they said. */
  apply(reply: LeaseReply, request: LeaseRequest, sentAt: number, now: number): void {
    if (reply.seq !== this.seq) return;
    this.refusals.pause(reply.pauseMs, now);
    if (reply.unknown) this.tell = true;
    if (reply.stale) return;
    this.tell = false;
    for (const slots of reply.slots) {
      const window = this.window(slots.name, slots.ms);
      if (reply.fresh) window.forget(this.coolUntil + (slots.ms === 0 ? 0 : slots.ms));
      else window.heard(reply.seq);
      if (!request.release) {
        if (!reply.fresh && slots.keep < window.held) window.shrink(slots.keep, now, this.seq + 1);
        window.grant(slots.grant, slots.later, now);
      }
      window.reserve = slots.reserve;
      window.foreign = slots.foreign;
    }
    keepNamed(this.windows, reply.slots);
    for (const counts of reply.counts) {
      let stock = this.counts.find(({ name }) => name === counts.name);
      if (!stock) this.counts.push((stock = new CountStock(counts.name)));
      const told = request.counts.find(({ name }) => name === counts.name)?.spent ?? 0;
      stock.apply(request.release ? { ...counts, grant: 0, keep: 0 } : counts, reply.fresh, now, reply.fresh ? 0 : stock.spent - told);
    }
    keepNamed(this.counts, reply.counts);
    this.refusals.heard(reply.seq);
    this.groups.apply(reply, Math.max(0, ...reply.slots.map(({ ms }) => ms)));
    this.holds.apply(reply, sentAt, now);
    for (const id of request.alerted ?? []) this.alerted.delete(id);
    this.breaker.apply(reply.breaker, { seq: reply.seq, sentAt, probe: request.probe }, now);
    this.term = reply.term;
    this.ack = reply.seq;
    if (request.release) return;
    this.leaseEnd = sentAt + reply.leaseMs;
    this.coolUntil = this.leaseEnd + (this.options.slackMs ?? 1_000);
  }

  private window(name: string, ms: number): SlotLog {
    let window = this.windows.find((one) => one.name === name);
    if (!window) this.windows.push((window = this.newWindow(name, ms)));
    return window;
  }

  protected newWindow(name: string, ms: number): SlotLog {
    return new SlotLog(name, ms, this.trips, this.permitMs);
  }

  group(sync: string, lane: Lane): Group {
    return this.groups.of(sync, lane);
  }
}

/** Drops what the budget no longer has. */
function keepNamed(mine: { name: string }[], theirs: readonly { name: string }[]): void {
  const gone = mine.filter(({ name }) => !theirs.some((one) => one.name === name));
  for (const one of gone) mine.splice(mine.indexOf(one), 1);
}
