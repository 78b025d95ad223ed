import type { Limit } from '../../connectors/connector';
import type { CallEnd } from '../../connectors/permit';
import { WindowLog } from './window-log';

/** Windows up to this long are paced once half of them is used, so that live records never wait for a whole window. */
const pacedWindowMs = 60_000;

/** One budget scope of one process: windows, calls in flight, pause after a 429. */
export class ScopeGate {
  private readonly windows: { log: WindowLog; ms: number; max: number }[];
  private readonly maxInFlight: number;
  private inFlight = 0;
  private pausedUntil = 0;
  private lastTake = -Infinity;

  constructor(limits: readonly Limit[]) {
    // Fixed windows are kept as rolling ones: stricter, so never over the limit whatever the vendor's clock says.
    this.windows = limits.flatMap((limit) =>
      limit.kind === 'concurrent' ? [] : [{ log: new WindowLog(limit.ms, limit.max), ms: limit.ms, max: limit.max }],
    );
    this.maxInFlight = Math.min(Infinity, ...limits.flatMap((limit) => (limit.kind === 'concurrent' ? [limit.max] : [])));
  }

  /** When a permit is free; `Infinity` when that depends on calls in flight. */
  readyAt(now: number): number {
    if (this.inFlight >= this.maxInFlight) return Infinity;
    return Math.max(now, this.pausedUntil, ...this.windows.map((window) => Math.max(window.log.readyAt(now), this.pacedAt(window, now))));
  }

  /** The first half of a window may go in a burst; the rest is spread over it. */
  private pacedAt({ log, ms, max }: ScopeGate['windows'][number], now: number): number {
    if (ms > pacedWindowMs || log.used(now) < max / 2) return now;
    return this.lastTake + ms / max;
  }

  take(now: number): { done(end: CallEnd, now: number): void; giveBack(): void } {
    const taken = this.windows.map(({ log }) => log.take());
    this.inFlight++;
    const before = this.lastTake;
    this.lastTake = now;
    return {
      done: (end, at) => {
        this.inFlight--;
        for (const one of taken) one.done(at);
        if (end.rateLimited) this.pausedUntil = Math.max(this.pausedUntil, at + (end.rateLimited.retryAfterMs ?? 1_000));
      },
      giveBack: () => {
        this.inFlight--;
        if (this.lastTake === now) this.lastTake = before;
        for (const one of taken) one.giveBack();
      },
    };
  }
}
