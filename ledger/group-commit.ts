/** How calls are gathered. */
export interface GroupCommitOptions<T> {
  /** Most items of one run. */
  maxItems: number;
  /** Most bytes of one run; a single larger item runs alone. */
  maxBytes: number;
  /** Runs at a time. */
  maxInFlight: number;
  /** A call is answered, if with a rejection, within this many milliseconds. */
  timeoutMs: number;
  bytes(item: T): number;
  /** True when an item of the run is at fault, and not the database: then the run is split until the item stands alone. */
  isItemsFault(error: unknown): boolean;
}

interface Waiting<T, R> {
  item: T;
  bytes: number;
  settle: { resolve(result: R): void; reject(error: unknown): void };
  timer: NodeJS.Timeout;
}

/**
 * Shares one commit among concurrent calls: a run takes whatever queued while the ones before it were under way. Alone, a
 * call runs at once; in a burst the disk is asked once for many.
 */
export class GroupCommit<T, R> {
  private queue: Waiting<T, R>[] = [];
  private inFlight = 0;

  constructor(
    private readonly run: (items: T[]) => Promise<R[]>,
    private readonly options: GroupCommitOptions<T>,
  ) {}

  /** Resolves once the item is committed. A rejection after the timeout does not say whether it was. */
  submit(item: T): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      const settle = { resolve, reject };
      const waiting = { item, bytes: this.options.bytes(item), settle } as Waiting<T, R>;
      waiting.timer = setTimeout(() => this.giveUp(waiting), this.options.timeoutMs);
      this.queue.push(waiting);
      this.pump();
    });
  }

  private giveUp(waiting: Waiting<T, R>): void {
    const index = this.queue.indexOf(waiting);
    if (index >= 0) this.queue.splice(index, 1);
    waiting.settle.reject(new Error(`The database did not answer within ${this.options.timeoutMs} ms`));
  }

  private pump(): void {
    while (this.queue.length > 0 && this.inFlight < this.options.maxInFlight) {
      const batch = this.take();
      this.inFlight++;
      void this.runOrSplit(batch).finally(() => {
        this.inFlight--;
        this.pump();
      });
    }
  }

  private take(): Waiting<T, R>[] {
    let count = 0;
    let bytes = 0;
    for (const waiting of this.queue) {
      bytes += waiting.bytes;
      if (count > 0 && (count >= this.options.maxItems || bytes > this.options.maxBytes)) break;
      count++;
    }
    return this.queue.splice(0, count);
  }

  private async runOrSplit(batch: Waiting<T, R>[]): Promise<void> {
    let results: R[];
    try {
      results = await this.run(batch.map(({ item }) => item));
    } catch (error) {
      if (batch.length > 1 && this.options.isItemsFault(error)) {
        const middle = batch.length >> 1;
        await this.runOrSplit(batch.slice(0, middle));
        await this.runOrSplit(batch.slice(middle));
        return;
      }
      for (const { settle, timer } of batch) {
        clearTimeout(timer);
        settle.reject(error);
      }
      return;
    }
    batch.forEach(({ settle, timer }, index) => {
      clearTimeout(timer);
      settle.resolve(results[index] as R);
    });
  }
}
