import type { RowItem } from './items';

/** Rows read and not yet sent, in order; hands out batches within the caps of count, bytes and of each row. */
export class RowQueue {
  private waiting: RowItem[] = [];
  /** Halves of a refused call: each goes alone, before all others. */
  private readonly forced: RowItem[][] = [];
  /** Keys in a call now: two writes of one record keep their order. */
  private readonly busy = new Set<string>();

  constructor(private readonly options: { maxBatch: number; maxBatchBytes: number; now: () => number }) {}

  get length(): number {
    return this.waiting.length;
  }

  add(items: readonly RowItem[]): void {
    this.waiting.push(...items);
  }

  /** Back to the front: they were first. */
  putBack(items: readonly RowItem[]): void {
    this.waiting.unshift(...items);
  }

  force(...batches: RowItem[][]): void {
    this.forced.unshift(...batches.filter((batch) => batch.length > 0));
  }

  /** The rows of the next call, marked as busy; empty = none may go now. */
  take(most: number): RowItem[] {
    return this.go(this.takeForced(most) ?? this.takeWaiting(Math.min(most, this.options.maxBatch)));
  }

  /** The row of a probe: of `suspects` only if no other may go. */
  takeOne(suspects: (row: RowItem) => boolean): RowItem[] {
    const first = this.forced[0]?.[0];
    if (first && !suspects(first)) return this.take(1);
    const other = this.takeWaiting(1, suspects);
    return other.length > 0 ? this.go(other) : this.take(1);
  }

  private go(batch: RowItem[]): RowItem[] {
    for (const { key } of batch) this.busy.add(key);
    return batch;
  }

  done(batch: readonly RowItem[]): void {
    for (const { key } of batch) this.busy.delete(key);
  }

  /** Milliseconds until a row may go; 0 = now, `Infinity` = only the end of a call will tell. */
  waitMs(): number {
    if (this.forced.length > 0) return 0;
    const now = this.options.now();
    const free = this.waiting.filter(({ key }) => !this.busy.has(key));
    return Math.max(0, Math.min(Infinity, ...free.slice(0, 1_000).map(({ notBeforeMs }) => notBeforeMs - now)));
  }

  private takeForced(most: number): RowItem[] | undefined {
    const batch = this.forced.shift();
    if (!batch || batch.length <= most) return batch;
    this.forced.unshift(batch.slice(most));
    return batch.slice(0, most);
  }

  private takeWaiting(most: number, stays: (row: RowItem) => boolean = () => false): RowItem[] {
    const batch: RowItem[] = [];
    const rest: RowItem[] = [];
    const keys = new Set<string>();
    let cap = most;
    let bytes = 0;
    const now = this.options.now();
    for (let index = 0; index < this.waiting.length; index++) {
      const item = this.waiting[index]!;
      if (batch.length >= cap) {
        rest.push(...this.waiting.slice(index));
        break;
      }
      const nextCap = Math.min(cap, item.cap);
      const fits =
        item.notBeforeMs <= now &&
        !this.busy.has(item.key) &&
        !keys.has(item.key) &&
        batch.length < nextCap &&
        !stays(item) &&
        (batch.length === 0 || bytes + item.size <= this.options.maxBatchBytes);
      if (!fits) {
        // The order of one key's writes must hold, also behind one that has to wait.
        keys.add(item.key);
        rest.push(item);
        continue;
      }
      batch.push(item);
      keys.add(item.key);
      cap = nextCap;
      bytes += item.size;
    }
    this.waiting = rest;
    return batch;
  }
}
