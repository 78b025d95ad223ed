import type { Operation, RecordResult } from '../../connectors/connector';
import type { VendorError } from '../../connectors/errors';
import type { Permit } from '../../connectors/permit';
import type { SendChunkInput, SendChunkResult } from '../../schemas/table';
import type { TableSync } from '../../syncs/define-table-sync';
import { WarehouseBusy, type OpenRow, type RowEnd, type Warehouse } from '../../warehouse/port';
import type { ActivityDeps, VendorLink } from '../deps';
import { endsAfter, endsOf, isRefusal, refused, vendorErrorOf, type CallEnd, type CallFacts } from './call-end';
import { end, operationOf, prepareRow, type RowItem } from './items';
import type { Lease } from './lease';
import { RowQueue } from './row-queue';

/** Calls of one chunk in flight at a time. */
const callsAtOnce = 4;
/** Longest wait for a permit; then the chunk rests in its workflow. */
const permitWaitMs = 20_000;
/** An activity that takes longer gives its place to others. */
const sliceMs = 240_000;
/** Rows and bytes of one read: memory is bounded by bytes, whatever the rows are like. */
const readRows = { first: 200, most: 1_000 };
const readBytes = 8 * 1024 * 1024;
/** Calls a chunk may spend on finding rows at fault that the vendor does not name. */
const searchCalls = 64;

type Held = Extract<SendChunkResult, { kind: 'held' }>;

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
  private operation: Operation<unknown>;
  private readonly link: VendorLink;
  private after = -1;
  private rowsPerRead = readRows.first;
  private drained = false;
  private reading: Promise<void> | undefined;
  private stop: Held | undefined;
  private searches = 0;
  private inFlight = 0;
  private wake: (() => void)[] = [];

  constructor(private readonly options: ChunkSenderOptions) {
    const { deps, sync, input } = options;
    this.operation = sync.to.operation;
    this.link = deps.link(input.plan.vendor, input.plan.account);
    this.startedAtMs = deps.now();
    this.queue = new RowQueue({ maxBatch: input.plan.maxBatch, maxBatchBytes: input.plan.maxBatchBytes, now: deps.now });
  }

  /** Null: every row has an end. What is in flight has always ended. */
  async send(): Promise<Held | null> {
    const callers = await Promise.allSettled(Array.from({ length: callsAtOnce }, () => this.caller()));
    const failure = callers.find((caller) => caller.status === 'rejected');
    if (failure) {
      if (failure.reason instanceof WarehouseBusy) return this.held('warehouse', 5_000);
      throw failure.reason;
    }
    return this.stop ?? null;
  }

  private async caller(): Promise<void> {
    try {
      while (await this.ready()) await this.callOnce();
    } catch (error) {
      this.stop ??= this.held('warehouse', 5_000); // the other callers finish what they have in flight
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
      if (waitMs > permitWaitMs && this.inFlight === 0) this.stop = this.held('retry', waitMs);
      else await this.change(Math.min(waitMs, 1_000));
    }
  }

  private checkTime(): void {
    if (this.options.signal.aborted) this.stop ??= this.held('slice', 0);
    if (this.options.deps.now() - this.startedAtMs > sliceMs) this.stop ??= this.held('slice', 0);
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
    const { plan, runId, chunk } = input;
    const limit = this.rowsPerRead;
    const rows = await warehouse.read({ syncId: plan.syncId, runId, chunk, source: plan.source, mapVersion: plan.mapVersion, after: this.after, limit });
    if (rows.length < limit) this.drained = true;
    this.after = rows.at(-1)?.n ?? this.after;
    if (rows[0]) this.operation = operationOf(sync, rows[0].op);
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
    const { deps, input, lease } = this.options;
    const { scopes } = input.plan;
    const permit = await this.permit();
    if (!permit) return;
    // Asked after the permit came, so that an admission is never left unreported.
    const admission = deps.health.admit(scopes);
    if (admission.kind === 'shut') {
      permit.giveBack();
      this.stop ??= this.held('breaker', Math.max(0, admission.untilMs - deps.now()) + Math.round(deps.random() * 2_000));
      return;
    }
    const safe = await lease.lasts(this.link.timeoutMs + 2_000);
    const batch = safe && !this.stop ? this.queue.take(admission.kind === 'probe' ? 1 : Math.min(input.plan.maxBatch, this.operation.maxBatch)) : [];
    if (batch.length === 0) {
      deps.health.report(scopes, { answered: [], failed: [], connection: false });
      permit.giveBack();
      if (!safe) this.stop ??= this.held('lease', 1_000);
      return;
    }
    this.inFlight++;
    try {
      await this.call(batch, permit);
    } finally {
      this.inFlight--;
      this.changed();
    }
  }

  private async call(batch: RowItem[], permit: Permit): Promise<void> {
    const { deps, input } = this.options;
    const { scopes, budget, syncId } = input.plan;
    const link = this.link.call({ scopes, lane: budget.lane, sync: syncId, permit });
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
    deps.health.report(scopes, { answered: this.names(batch), failed: [], connection: false });
    await this.book(batch, endsOf(batch, results, this.facts()));
  }

  private async afterError(batch: RowItem[], error: VendorError): Promise<void> {
    const { deps, input } = this.options;
    const { scopes } = input.plan;
    const down = error.retryable && error.code !== 'RATE_LIMITED';
    const names = this.names(batch);
    deps.health.report(scopes, { answered: isRefusal(error) ? names : [], failed: down ? names : [], connection: error.connection });
    deps.log.warn(
      { sync: input.plan.syncId, run: input.runId, chunk: input.chunk, rows: batch.length, status: error.status, code: error.code, cause: error.message },
      'a call for rows failed',
    );
    if (error.code === 'AUTH') {
      this.queue.done(batch);
      this.queue.putBack(batch);
      this.stop ??= this.held('credentials', 60_000);
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
    this.queue.putBack(again);
  }

  private async commit(ends: readonly RowEnd[]): Promise<void> {
    if (ends.length === 0) return;
    const { warehouse, input, lease, deps } = this.options;
    for (let tries = 0; ; tries++) {
      try {
        if (!(await warehouse.commit(input, lease.token, ends))) this.stop ??= this.held('lease', 1_000);
        this.options.progress(ends.filter(({ outcome }) => outcome !== null).length);
        return;
      } catch (error) {
        if (!(error instanceof WarehouseBusy) || tries >= 8) throw error;
        deps.log.warn({ err: error, tries }, 'the warehouse does not answer; only the booking is retried, the call is not');
        await new Promise((resolve) => setTimeout(resolve, Math.min(2_000, 50 * 2 ** tries)));
      }
    }
  }

  private async permit(): Promise<Permit | null> {
    const { deps, input, signal } = this.options;
    const { scopes, budget, syncId } = input.plan;
    try {
      return await deps.gate.acquire({ scopes, lane: budget.lane, sync: syncId, signal: AbortSignal.any([signal, AbortSignal.timeout(permitWaitMs)]) });
    } catch {
      const openUntil = deps.health.openUntil(scopes);
      if (openUntil > deps.now()) this.stop ??= this.held('breaker', openUntil - deps.now());
      else this.stop ??= signal.aborted ? this.held('slice', 0) : this.held('budget', deps.gate.closedForMs(scopes, budget.lane));
      return null;
    }
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

  /** What the breaker counts by; a few say as much as all. */
  private names(batch: readonly RowItem[]): string[] {
    return batch.slice(0, 3).map(({ key }) => this.options.deps.keyHmac(key));
  }

  private held(cause: Held['cause'], waitMs: number): Held {
    return { kind: 'held', cause, untilMs: this.options.deps.now() + Math.round(waitMs) };
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
