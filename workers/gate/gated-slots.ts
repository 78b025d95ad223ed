import type { ActivitySlotInfo, CustomSlotSupplier, SlotMarkUsedContext, SlotPermit, SlotReleaseContext, SlotReserveContext } from '@temporalio/worker';

/** A gate that opens later than this is shut: its tasks wait better in their queue, in order and at no cost. */
const shutMs = 1_000;
const lookAgainMs = 250;

export interface GatedSlotsOptions {
  /** Tasks in this process at a time. */
  slots: number;
  /** Milliseconds until a permit can be expected. */
  closedForMs(): number;
}

/**
 * Slots of a vendor queue's activities: nothing is polled while the gate is shut. Tasks of polls already out still arrive;
 * they wait in the batcher and go back to the queue unsent, or rest in their workflows first where an operator paused them.
 */
export class GatedSlots implements CustomSlotSupplier<ActivitySlotInfo> {
  readonly type = 'custom';
  private taken = 0;
  private readonly waiting = new Set<() => void>();
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly options: GatedSlotsOptions) {
    // A gate opens by time as well (a pause ends, a window starts anew): nobody tells us then.
    this.timer = setInterval(() => this.wake(), lookAgainMs);
    this.timer.unref();
  }

  private get open(): boolean {
    return this.taken < this.options.slots && this.options.closedForMs() <= shutMs;
  }

  async reserveSlot(_context: SlotReserveContext, signal: AbortSignal): Promise<SlotPermit> {
    while (!this.open) {
      await new Promise<void>((resolve, reject) => {
        const settle = (end: () => void) => () => {
          this.waiting.delete(go);
          signal.removeEventListener('abort', stop);
          end();
        };
        const go = settle(resolve);
        const stop = settle(() => reject(Object.assign(new Error('no longer polling'), { name: 'AbortError' })));
        if (signal.aborted) return stop();
        this.waiting.add(go);
        signal.addEventListener('abort', stop);
      });
    }
    this.taken++;
    return {};
  }

  tryReserveSlot(_context: SlotReserveContext): SlotPermit | null {
    if (!this.open) return null;
    this.taken++;
    return {};
  }

  markSlotUsed(_context: SlotMarkUsedContext<ActivitySlotInfo>): void {
    // counted when it was reserved
  }

  releaseSlot(_context: SlotReleaseContext<ActivitySlotInfo>): void {
    this.taken--;
    this.wake();
  }

  private wake(): void {
    for (const go of [...this.waiting]) {
      if (!this.open) return;
      go();
    }
  }
}
