import type { RowEnd } from '../../warehouse/port';

/** Writes ends down in turn; those that come while one write is under way share the next. Whoever asks waits until theirs are written. */
export class Booking {
  private waiting: RowEnd[] = [];
  private next: Promise<void> | undefined;
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly write: (ends: readonly RowEnd[]) => Promise<void>) {}

  /** Rejects, with all that shared the write, when it fails. */
  add(ends: readonly RowEnd[]): Promise<void> {
    this.waiting.push(...ends);
    this.next ??= this.last.then(() => this.flush());
    return this.next;
  }

  private flush(): Promise<void> {
    const ends = this.waiting;
    this.waiting = [];
    this.next = undefined;
    const written = this.write(ends);
    this.last = written.catch(() => undefined);
    return written;
  }
}
