import type { ActivityDeps } from '../deps';
import { syncOf } from '../lookup';
import { Batcher } from './batcher';
import type { Item, ItemEnd } from './item';
import { Sender } from './send';

/** All batchers of a worker: one per operation and account, shared by every sync that writes there. */
export class Deliveries {
  private readonly batchers = new Map<string, Batcher>();

  constructor(private readonly deps: ActivityDeps) {}

  /** Waits for the record's call until `deadlineMs`; an abort takes it out unless it is already sent. */
  deliver(item: Omit<Item, 'settle' | 'notBeforeMs'>, signal?: AbortSignal): Promise<ItemEnd> {
    const batcher = this.batcherOf(item.plan);
    return new Promise((resolve) => {
      const onAbort = () => batcher.leave(queued, 'shutdown');
      const queued: Item = {
        ...item,
        notBeforeMs: 0,
        settle: (end) => {
          signal?.removeEventListener('abort', onAbort);
          resolve(end);
        },
      };
      batcher.add(queued);
      if (signal?.aborted) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  private batcherOf(plan: Item['plan']): Batcher {
    const id = `${plan.vendor}/${plan.account}/${plan.operation}`;
    const known = this.batchers.get(id);
    if (known) return known;
    const { operation } = syncOf(this.deps.syncs, plan.syncId).to;
    const sender = new Sender(this.deps, operation, this.deps.link(plan.vendor, plan.account), plan.scopes, (item) => batcher.add(item));
    const batcher = new Batcher({
      gate: this.deps.gate,
      health: this.deps.health,
      random: () => this.deps.random(),
      scopes: plan.scopes,
      maxBatch: plan.maxBatch,
      maxBatchBytes: plan.maxBatchBytes,
      send: (items, permit) => sender.send(items, permit),
      now: this.deps.now,
    });
    this.batchers.set(id, batcher);
    return batcher;
  }
}
