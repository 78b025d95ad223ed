/** Hard limit over one window: remembers the calls that count in it. Times in milliseconds of one monotonic clock. */
export class WindowLog {
  /** When each past call stops counting; `Infinity` while it is in flight. Sorted only as needed. */
  private freeAt: number[] = [];

  constructor(
    private readonly windowMs: number,
    readonly max: number,
  ) {}

  private settle(now: number): void {
    this.freeAt = this.freeAt.filter((at) => at > now);
  }

  used(now: number): number {
    this.settle(now);
    return this.freeAt.length;
  }

  /** When one more call fits; `Infinity` when only calls in flight are in the way. */
  readyAt(now: number): number {
    this.settle(now);
    if (this.freeAt.length < this.max) return now;
    return [...this.freeAt].sort((a, b) => a - b)[this.freeAt.length - this.max] ?? now;
  }

  /**
   * Counts a call. `done` ends its flight: the vendor counted it some time before it replied, so a window after the reply is
   * the safe end. `giveBack` takes it out: nothing was sent.
   */
  take(): { done(now: number): void; giveBack(): void } {
    let mine = Infinity;
    this.freeAt.push(mine);
    const replace = (at: number | null) => {
      const index = this.freeAt.indexOf(mine);
      if (index < 0) return;
      if (at === null) this.freeAt.splice(index, 1);
      else this.freeAt[index] = mine = at;
    };
    return { done: (now) => replace(now + this.windowMs), giveBack: () => replace(null) };
  }
}
