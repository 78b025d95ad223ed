import type { Operation, RecordResult } from '../../connectors/connector';
import type { VendorError } from '../../connectors/errors';
import type { Permit } from '../../connectors/permit';
import type { SendChunkInput } from '../../schemas/table';
import type { TableSync } from '../../syncs/define-table-sync';
import { WarehouseBusy, type OpenRow, type RowEnd, type Warehouse } from '../../warehouse/port';
import type { ActivityDeps, VendorLink } from '../deps';
import { booked } from './book';
import { Booking } from './booking';
import { endsAfter, endsOf, isRefusal, refused, vendorErrorOf, type CallEnd, type CallFacts } from './call-end';
import { Door, permitWaitMs, type Held } from './door';
import { end, pageOf, prepareRow, type RowItem } from './items';
import type { Lease } from './lease';
import { RowQueue } from './row-queue';

/** Calls of one chunk in flight at a time. */
const callsAtOnce = 4;
/** An activity that takes longer gives its place to others. */
const sliceMs = 240_000;
/** Rows and bytes of one read: memory is bounded by bytes, whatever the rows are like. */
const readRows = { first: 200, most: 1_000 };
const readBytes = 8 * 1024 * 1024;
/** Calls a chunk may spend on finding rows at fault that the vendor does not name. */
const searchCalls = 64;

export interface ChunkSenderOptions {
  deps: ActivityDeps;
  sync: TableSync;
  warehouse: Warehouse;
  input: SendChunkInput;
  lease: Lease;
  signal: AbortSignal;
  /** Rows that have an end, for the heartbeat. */
  progress(rows: number): void;
}

/** Sends the open rows of one chunk: reads, maps, batches, one permit per call, and commits after each call. */
export class ChunkSender {
  private readonly queue: RowQueue;
  private readonly startedAtMs: number;
  private readonly link: VendorLink;
  private readonly door: Door;
  private readonly booking: Booking;
  private after = -1;
  private rowsPerRead = readRows.first;
  private drained = false;
  private reading: Promise<void> | undefined;
  private stop: Held | undefined;
  private searches = 0;
  private inFlight = 0;
  private wake: (() => void)[] = [];

  constructor(
    private readonly options: ChunkSenderOptions,
    private readonly operation: Operation<unknown>,
  ) {
    const { deps, input } = options;
    this.link = deps.link(input.plan.vendor, input.plan.account);
    this.door = new Door({ deps, input, lease: options.lease, callMs: this.link.timeoutMs, signal: options.signal });
    this.booking = new Booking(async (ends) => {
      const written = await booked(deps, () => options.warehouse.commit(input, options.lease.token, ends));
      if (!written) this.stop ??= this.door.held('lease', 1_000);
    });
    this.startedAtMs = deps.now();
    this.queue = new RowQueue({ maxBatch: input.plan.maxBatch, maxBatchBytes: input.plan.maxBatchBytes, now: deps.now });
  }

  /** Null: every row has an end. What is in flight has always ended. */
  async send(): Promise<Held | null> {
    const callers = await Promise.allSettled(Array.from({ length: callsAtOnce }, () => this.caller()));
    const failure = callers.find((caller) => caller.status === 'rejected');
    if (failure) {
      if (failure.reason instanceof WarehouseBusy) return this.door.held('warehouse', 5_000);
      throw failure.reason;
    }
    return this.stop ?? null;
  }

  private async caller(): Promise<void> {
    try {
      while (await this.ready()) await this.callOnce();
    } catch (error) {
      this.stop ??= this.door.held('warehouse', 5_000); // the other callers finish what they have in flight
      throw error;
    } finally {
      this.changed();
    }
  }

  /** Waits until a row may go; false = nothing more to do here. */
  private async ready(): Promise<boolean> {
    for (;;) {
      this.checkTime();
      if (this.stop) return false;
      if (!this.drained && this.queue.length < this.options.input.plan.maxBatch) await this.read();
      else if (!this.drained && this.queue.length < 2 * callsAtOnce * this.options.input.plan.maxBatch) void this.read().catch(() => undefined); // its caller hears of it
      const waitMs = this.queue.waitMs();
      if (waitMs === 0) return true;
      if (!Number.isFinite(waitMs) && this.inFlight === 0 && this.drained) return false;
      // Long waits are the workflow's, unless calls are still in flight.
      if (waitMs > permitWaitMs && this.inFlight === 0) this.stop = this.door.held('retry', waitMs);
      else await this.change(Math.min(waitMs, 1_000));
    }
  }

  private checkTime(): void {
    if (this.options.signal.aborted) this.stop ??= this.door.held('slice', 0);
    if (this.options.deps.now() - this.startedAtMs > sliceMs) this.stop ??= this.door.held('slice', 0);
  }

  /** One read at a time; rows that need no call get their end at once. */
  private read(): Promise<void> {
    this.reading ??= this.readOnce().finally(() => {
      this.reading = undefined;
      this.changed();
    });
    return this.reading;
  }

  private async readOnce(): Promise<void> {
    const { sync, warehouse, input } = this.options;
    const { plan } = input;
    const limit = this.rowsPerRead;
    const rows = await warehouse.read(pageOf(input, this.after, limit));
    if (rows.length < limit) this.drained = true;
    this.after = rows.at(-1)?.n ?? this.after;
    const maxBatch = Math.min(plan.maxBatch, this.operation.maxBatch);
    const ends: RowEnd[] = [];
    const items: RowItem[] = [];
    for (const row of rows) {
      const prepared = input.expire ? end(row, 'expired', 'EXPIRED', 'held longer than retry.expireAfter allows') : prepareRow(sync, row, maxBatch);
      if ('outcome' in prepared) ends.push(prepared);
      else items.push(prepared);
    }
    this.resize(rows, items);
    await this.commit(ends);
    this.queue.add(items);
  }

  private resize(rows: readonly OpenRow[], items: readonly RowItem[]): void {
    const bytes = items.reduce((sum, { size }) => sum + size, 0) / Math.max(1, rows.length);
    this.rowsPerRead = Math.max(10, Math.min(readRows.most, Math.floor(readBytes / Math.max(1, bytes))));
  }

  private async callOnce(): Promise<void> {
    const entry = await this.door.enter();
    if (entry.kind === 'held') {
      this.stop ??= entry;
      return;
    }
    const most = Math.min(this.options.input.plan.maxBatch, this.operation.maxBatch);
    const batch = this.stop ? [] : entry.probe ? this.queue.takeOne(this.door.suspects()) : this.queue.take(most);
    if (batch.length === 0) return this.door.leave(entry);
    this.inFlight++;
    try {
      if (this.options.input.plan.membership) await this.door.unlessThrown(entry, this.remember(batch));
      await this.call(batch, entry.permit);
    } finally {
      this.inFlight--;
      this.changed();
    }
  }

  private async call(batch: RowItem[], permit: Permit): Promise<void> {
    const { input } = this.options;
    const { scopes, budget, syncId } = input.plan;
    const link = this.link.call({ scopes, lane: budget.lane, sync: syncId, permit, patience: AbortSignal.timeout(permitWaitMs) });
    let results: RecordResult[];
    try {
      results = await this.operation.send(
        link,
        batch.map((item) => item.input),
      );
    } catch (thrown) {
      link.release(); // before anything waits for another permit
      return this.afterError(batch, vendorErrorOf(thrown));
    }
    link.release();
    this.door.answered(batch);
    await this.book(batch, endsOf(batch, results, this.facts()));
  }

  /** Under which key a member may be at the vendor from now on, whatever becomes of this process. */
  private async remember(batch: readonly RowItem[]): Promise<void> {
    await this.commit(batch.map(({ row, key, attempts }) => ({ n: row.n, outcome: null, attempts, fingerprint: row.fingerprint, targetKey: key })));
  }

  private async afterError(batch: RowItem[], error: VendorError): Promise<void> {
    this.door.failed(batch, error);
    if (error.code === 'AUTH') {
      this.queue.done(batch);
      this.queue.putBack(batch);
      this.stop ??= this.door.held('credentials', 60_000);
      return;
    }
    if (!isRefusal(error)) return this.book(batch, endsAfter(batch, error, this.facts()));
    if (batch.length === 1) return this.book(batch, { ends: refused(batch, error, 'alone'), again: [] });
    // The vendor does not say which: halves, each with a permit of its own.
    this.searches += 2;
    if (this.searches > searchCalls) return this.book(batch, { ends: refused(batch, error, 'unsearched'), again: [] });
    const middle = Math.ceil(batch.length / 2);
    this.queue.done(batch);
    this.queue.force(batch.slice(0, middle), batch.slice(middle));
  }

  /** Once the vendor answered, only this is retried, never the call. */
  private async book(batch: readonly RowItem[], { ends, again }: CallEnd): Promise<void> {
    await this.commit(ends);
    this.queue.done(batch);
    if (!this.options.input.plan.membership) return this.queue.putBack(again);
    // A member may have withdrawn meanwhile: each try reads them again.
    const now = this.options.deps.now();
    if (again.length > 0) this.stop ??= this.door.held('retry', Math.max(0, ...again.map(({ notBeforeMs }) => notBeforeMs - now)));
  }

  private async commit(ends: readonly RowEnd[]): Promise<void> {
    if (ends.length === 0) return;
    await this.booking.add(ends);
    this.options.progress(ends.filter(({ outcome }) => outcome !== null).length);
  }

  private facts(): CallFacts {
    const { deps, input } = this.options;
    const { retry, maxBatch, scopes } = input.plan;
    return {
      retry,
      maxBatch,
      now: deps.now(),
      random: () => deps.random(),
      down: deps.health.openUntil(scopes) > 0,
      landedAtMs: deps.health.lastLandedAt(scopes),
    };
  }

  private change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(1, ms));
      this.wake.push(() => (clearTimeout(timer), resolve()));
    });
  }

  private changed(): void {
    for (const wake of this.wake.splice(0)) wake();
  }
}
