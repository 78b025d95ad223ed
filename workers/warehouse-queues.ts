import type { Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { WarehouseBusy, type Warehouse } from '../warehouse';
import { warehouseTaskQueue } from '../workflows/ids';

/** A DuckDB file that another process holds is asked for again this often, milliseconds. */
const askAgainMs = 10_000;

export interface WarehouseQueuesOptions {
  warehouses: ReadonlyMap<string, Warehouse>;
  /** Warehouses that one process has at a time. */
  exclusive: ReadonlySet<string>;
  create: (taskQueue: string) => Promise<Worker>;
  log: Logger;
}

/** Serves `warehouse/<name>`; of a warehouse that one process has at a time only once it is ours. */
export class WarehouseQueues {
  private readonly running: { worker: Worker; run: Promise<void> }[] = [];
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private stopped = false;
  private died: (reason: unknown) => void = () => undefined;
  /** Rejects when a worker dies. */
  readonly failed = new Promise<never>((_, reject) => (this.died = reject));

  constructor(private readonly options: WarehouseQueuesOptions) {
    this.failed.catch(() => undefined);
  }

  async start(): Promise<void> {
    await Promise.all([...this.options.warehouses].map(([name, warehouse]) => this.serve(name, warehouse)));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    for (const timer of this.timers.values()) clearTimeout(timer);
    for (const { worker } of this.running) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.all(this.running.map(({ run }) => run.catch(() => undefined)));
  }

  private async serve(name: string, warehouse: Warehouse): Promise<void> {
    const { exclusive, create, log } = this.options;
    try {
      // A PostgreSQL that is away is no reason not to start: its activities wait for it.
      if (exclusive.has(name)) await warehouse.open();
    } catch (error) {
      if (!(error instanceof WarehouseBusy)) throw error;
      if (!this.timers.has(name)) log.warn({ warehouse: name, err: error }, 'another process has this warehouse; its queue is served there');
      const again = (): void => void this.serve(name, warehouse).catch((reason: unknown) => this.died(reason));
      this.timers.set(name, setTimeout(again, askAgainMs).unref());
      return;
    }
    const worker = await create(warehouseTaskQueue(name));
    if (this.stopped) return;
    const run = worker.run();
    run.catch((reason: unknown) => this.died(reason));
    this.running.push({ worker, run });
  }
}
