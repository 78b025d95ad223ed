import type { GaveUp } from '../../workflows/budget/protocol';
import type { RoundTrips, Trip } from './round-trips';

/** A call that holds slots. */
export interface Call extends Trip {
  group: string;
  live: boolean;
  /** Counts up by one per call of the scope, in the order they were sent. */
  index: number;
}

/** A slot in use: by a call, or handed to us while the vendor still counts somebody else's call in it. */
export type Entry = { call: Call } | { until: number };

/** What one process may spend of one short window: slots it holds, and what is in them. Monotonic milliseconds. */
export class SlotLog {
  /** Slots held, the ones still cooling included. */
  held = 0;
  reserve = 0;
  /** Units others spend, as the budget sees it. */
  foreign = 0;
  protected entries: Entry[] = [];
  /** Calls in slots we gave up, while the vendor still counts them. */
  private handed: Entry[] = [];
  protected givenUp: { at: number; since: number }[] = [];
  private gone = 0;
  private reading: { remaining: number; index: number; gone: number; at: number } | undefined;

  constructor(
    readonly name: string,
    readonly ms: number,
    private readonly trips: RoundTrips,
    private readonly permitMs: number,
  ) {}

  /** When the vendor no longer counts it; `Infinity` while it is out. */
  protected freeAt(entry: Entry): number {
    if ('until' in entry) return entry.until;
    return this.ms === 0 ? entry.call.repliedAt : this.trips.arrivedBy(entry.call) + this.ms;
  }

  private settle(now: number): void {
    const counts = (entry: Entry): boolean => {
      const free = this.freeAt(entry) <= now;
      if (free && 'call' in entry) this.gone++;
      return !free;
    };
    this.entries = this.entries.filter(counts);
    if (this.handed.length > 0) this.handed = this.handed.filter(counts);
  }

  /** When `units` more fit beside the slots to `keep`; `Infinity` when calls on their way, or missing slots, are in the way. */
  readyAt(now: number, units: number, keep: number): number {
    this.settle(now);
    const over = this.entries.length + units - (this.held - keep);
    if (over <= 0) return now;
    if (over > this.entries.length) return Infinity;
    const times = this.entries.map((entry) => this.freeAt(entry));
    return over === 1 ? Math.min(...times) : (times.sort((a, b) => a - b)[over - 1] ?? Infinity);
  }

  add(call: Call, units: number): void {
    for (let unit = 0; unit < units; unit++) this.entries.push({ call });
  }

  remove(call: Call): void {
    const others = (entry: Entry): boolean => !('call' in entry) || entry.call !== call;
    this.entries = this.entries.filter(others);
    this.handed = this.handed.filter(others);
  }

  grant(count: number, later: readonly [count: number, ms: number][], now: number): void {
    this.held += count;
    for (const [slots, ms] of later) {
      this.held += slots;
      for (let slot = 0; slot < slots; slot++) this.entries.push({ until: now + ms });
    }
  }

  /**
   * Holds `keep` slots from now on. The calls in the others belong to the budget: it lets them cool.
   *
   * @param since the request that will say so first
   */
  shrink(keep: number, now: number, since: number): void {
    if (keep >= this.held) return;
    this.settle(now);
    const give = this.held - keep;
    this.held = keep;
    const end = (entry: Entry): number => Math.min(this.freeAt(entry), this.latest(entry));
    const sorted = [...this.entries].sort((a, b) => end(a) - end(b));
    // Calls beyond what we held (of a lease that lapsed) cool there already: they are not given twice.
    const over = Math.max(0, sorted.length - keep);
    const given = this.choose(sorted, Math.min(over, give));
    for (const entry of given) this.givenUp.push({ at: end(entry), since });
    this.handOver(given);
  }

  /** Evenly out of the whole window: giving the soonest would leave us with none that is free for seconds. */
  protected choose(sorted: readonly Entry[], count: number): Entry[] {
    const out = (entry: Entry): boolean => 'call' in entry && entry.call.repliedAt === Infinity;
    const known = sorted.filter((entry) => !out(entry));
    const even = Array.from(
      { length: Math.min(count, known.length) },
      (_, index) => known[Math.floor((index * known.length) / Math.min(count, known.length))]!,
    );
    return [...even, ...sorted.filter(out).slice(0, count - even.length)];
  }

  protected handOver(given: readonly Entry[]): void {
    const gone = new Set(given);
    this.entries = this.entries.filter((entry) => !gone.has(entry));
    this.handed.push(...given);
  }

  /** A call on its way is over by then: calls have a timeout. */
  private latest(entry: Entry): number {
    return 'until' in entry ? entry.until : entry.call.sentAt + this.permitMs + this.ms;
  }

  /** The budget had forgotten us, and lets all we held cool until `coolUntil`: only what lasts longer still counts here. */
  forget(coolUntil: number): void {
    this.held = 0;
    this.givenUp = [];
    this.handed = [];
    this.reading = undefined;
    this.entries = this.entries.filter((entry) => 'call' in entry && this.freeAt(entry) > coolUntil);
  }

  gaveUp(now: number): GaveUp[] {
    this.givenUp = this.givenUp.filter(({ at }) => at > now);
    const joined: GaveUp[] = [];
    for (const { at, since } of this.givenUp) {
      const ms = Math.ceil((at - now) / 50) * 50;
      const same = joined.find((one) => one[1] === ms && one[2] === since);
      if (same) same[0]++;
      else joined.push([1, ms, since]);
    }
    return joined;
  }

  /** The budget has heard everything said up to this request. */
  heard(seq: number): void {
    this.givenUp = this.givenUp.filter(({ since }) => since > seq);
  }

  used(group?: string): number {
    return [...this.entries, ...this.handed].filter((entry) => 'call' in entry && (group === undefined || entry.call.group === group)).length;
  }

  /** Slots that live calls don't need at their present pace. */
  bulkSlots(keep: number): number {
    const live = this.entries.filter((entry) => 'call' in entry && entry.call.live).length;
    return Math.max(1, this.held - keep - live);
  }

  /** The vendor said, with its reply to `call`, how many are left. The newest call knows best. */
  noteRemaining(call: Call, remaining: number, now: number): void {
    if (this.reading && this.reading.index > call.index) return;
    this.settle(now);
    this.reading = { remaining, index: call.index, gone: this.gone, at: now };
  }

  /** What should be left at the vendor now: its last word, less what we sent since, plus what of ours went out of the window. */
  remaining(now: number, sent: number): number {
    if (!this.reading || now - this.reading.at > this.ms) return Infinity;
    this.settle(now);
    return this.reading.remaining - (sent - this.reading.index) + (this.gone - this.reading.gone);
  }

  /** When the next of our own calls leaves the window. */
  nextGone(): number {
    return Math.min(Infinity, ...this.entries.flatMap((entry) => ('call' in entry ? [this.freeAt(entry)] : [])));
  }
}
