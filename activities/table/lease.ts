import type { ChunkRef, Warehouse } from '../../warehouse/port';

/** A chunk is taken for so long; a dead worker's chunks are free after it. Longer than a call, renewed well before its end. */
const leaseMs = 18_000;
const renewMs = 4_000;

/** The right to send a chunk's rows: the fence of tables. A worker that lost it sends nothing, and books nothing. */
export class Lease {
  private untilMs = 0;
  private timer: NodeJS.Timeout | undefined;
  private renewing: Promise<boolean> | undefined;

  constructor(
    private readonly warehouse: Warehouse,
    private readonly chunk: ChunkRef,
    readonly token: string,
    private readonly now: () => number,
  ) {}

  /** 0 = taken; else how long to wait for it, milliseconds. */
  async take(): Promise<number> {
    const asked = this.now();
    const answer = await this.warehouse.lease(this.chunk, this.token, leaseMs);
    if (!answer.held) return answer.waitMs;
    this.untilMs = asked + leaseMs;
    this.timer ??= setInterval(() => void this.renew(), renewMs).unref();
    return 0;
  }

  /** Whether it holds for so long; renewed when it would not. */
  async lasts(ms: number): Promise<boolean> {
    return this.untilMs - this.now() > ms || ((await this.renew()) && this.untilMs - this.now() > ms);
  }

  async release(): Promise<void> {
    clearInterval(this.timer);
    await this.renewing;
    await this.warehouse.release(this.chunk, this.token).catch(() => undefined); // it lapses by itself
  }

  private renew(): Promise<boolean> {
    this.renewing ??= this.take()
      .then((waitMs) => waitMs === 0)
      .catch(() => false)
      .finally(() => (this.renewing = undefined));
    return this.renewing;
  }
}
