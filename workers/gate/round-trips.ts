/**
 * When the vendor has counted a call at the latest, by what we saw of it.
 * - `done`: when its reply came. No assumption but that the vendor counts before it replies.
 * - `rttmin`: half the shortest round trip ever seen earlier than that. Right as long as the vendor's work and the way back
 *   never take less; `done` where round trips are very uneven, and until enough round trips were seen: the
 *   shortest of a few is longer than the real one.
 * - `hybrid`: at most `spreadMs` after it was sent, unless its reply was slow. Right only if the spread of the way there is known.
 */
export type SendRule = { rule: 'done' } | { rule: 'rttmin' } | { rule: 'hybrid'; spreadMs: number };

export interface RoundTripOptions {
  /** @default rttmin */
  rule?: SendRule;
  /** Round trips before the shortest is trusted. @default 50 */
  samples?: number;
  /** Part of it that is used. @default 0.5 */
  part?: number;
  /**
   * A shortest one below this part of the usual was luck, and luckier ones may come: `done` then.
   * @default 0.4
   */
  steady?: number;
}

/** A call on its way: monotonic milliseconds; `repliedAt` is `Infinity` while it is out. */
export interface Trip {
  sentAt: number;
  repliedAt: number;
}

/** Round trips to one vendor, and what they tell of when it counts. */
export class RoundTrips {
  private shortest = Infinity;
  private seen = 0;
  private usual = 0;
  private readonly recent: number[] = [];
  private slow = 0;
  private readonly rule: SendRule;
  private readonly samples: number;
  private readonly part: number;
  private readonly steady: number;

  constructor(options: RoundTripOptions = {}) {
    this.rule = options.rule ?? { rule: 'rttmin' };
    this.samples = options.samples ?? 50;
    this.part = options.part ?? 0.5;
    this.steady = options.steady ?? 0.4;
  }

  /** A reply came. Only true ones: a timeout says nothing of the way. */
  note(trip: Trip): void {
    const took = trip.repliedAt - trip.sentAt;
    this.seen++;
    this.shortest = Math.min(this.shortest, took);
    this.usual += (took - this.usual) / Math.min(this.seen, 200);
    if (this.rule.rule !== 'hybrid') return;
    this.recent.push(took);
    if (this.recent.length > 100) this.recent.shift();
    this.slow = [...this.recent].sort((a, b) => a - b)[Math.floor(this.recent.length * 0.9)] ?? 0;
  }

  arrivedBy(trip: Trip): number {
    if (this.rule.rule === 'done' || this.seen < this.samples || this.shortest < this.steady * this.usual) return trip.repliedAt;
    const byReply = trip.repliedAt - this.part * this.shortest;
    if (this.rule.rule === 'rttmin' || trip.repliedAt - trip.sentAt > this.slow) return byReply;
    return Math.min(byReply, trip.sentAt + this.rule.spreadMs);
  }
}
