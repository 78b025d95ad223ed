import type { VendorError } from '../../connectors/errors';
import type { Permit } from '../../connectors/permit';
import type { SendChunkInput, SendChunkResult } from '../../schemas/table';
import type { ActivityDeps, Blocked } from '../deps';
import { isRefusal } from './call-end';
import type { RowItem } from './items';
import type { Lease } from './lease';

/** Longest wait for a permit; then the chunk rests in its workflow. */
export const permitWaitMs = 20_000;

/** What it waits for may be paused meanwhile, or its lane's hours end. */
const blockedLookMs = 500;

export type Held = Extract<SendChunkResult, { kind: 'held' }>;

/** Leave to make one call. */
export interface Entry {
  kind: 'entry';
  permit: Permit;
  /** Tests whether the vendor is back: one record is enough. */
  probe: boolean;
}

export interface DoorOptions {
  deps: ActivityDeps;
  input: SendChunkInput;
  lease: Lease;
  /** Longest time a call takes, milliseconds. */
  callMs: number;
  signal: AbortSignal;
}

/** What stands between a chunk and its vendor: a permit, the breaker's leave, and a lease that outlasts the call. */
export class Door {
  constructor(private readonly options: DoorOptions) {}

  async enter(): Promise<Entry | Held> {
    const { deps, input, lease, callMs } = this.options;
    const { scopes } = input.plan;
    const permit = await this.permit();
    if ('kind' in permit) return permit;
    // Asked after the permit came, so that an admission is never left unreported.
    const admission = deps.health.admit(scopes);
    if (admission.kind === 'shut') {
      permit.giveBack();
      return this.held('breaker', Math.max(0, admission.untilMs - deps.now()) + Math.round(deps.random() * 2_000));
    }
    const entry: Entry = { kind: 'entry', permit, probe: admission.kind === 'probe' };
    if (await lease.lasts(callMs + 2_000)) return entry;
    this.leave(entry);
    return this.held('lease', 1_000);
  }

  /** What has to be done before the call; when it fails there is none, and the permit goes back. */
  async unlessThrown<T>(entry: Entry, work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.leave(entry);
      throw error;
    }
  }

  /** Rows the probe is only if no other waits. */
  suspects(): (row: Pick<RowItem, 'key'>) => boolean {
    const { deps, input } = this.options;
    const suspects = new Set(deps.health.suspects(input.plan.scopes));
    return ({ key }) => suspects.size > 0 && suspects.has(deps.keyHmac(key));
  }

  /** It was not needed. */
  leave({ permit }: Entry): void {
    this.options.deps.health.report(this.options.input.plan.scopes, { answered: [], failed: [], connection: false });
    permit.giveBack();
  }

  answered(batch: readonly RowItem[]): void {
    this.options.deps.health.report(this.options.input.plan.scopes, { answered: this.names(batch), failed: [], connection: false });
  }

  failed(batch: readonly RowItem[], error: VendorError): void {
    const { deps, input } = this.options;
    const down = error.retryable && error.code !== 'RATE_LIMITED';
    const names = this.names(batch);
    deps.health.report(input.plan.scopes, { answered: isRefusal(error) ? names : [], failed: down ? names : [], connection: error.connection });
    deps.log.warn(
      { sync: input.plan.syncId, run: input.runId, chunk: input.chunk, rows: batch.length, status: error.status, code: error.code, cause: error.message },
      'a call for rows failed',
    );
  }

  held(cause: Held['cause'], waitMs: number): Held {
    return { kind: 'held', cause, untilMs: this.options.deps.now() + Math.round(waitMs) };
  }

  private async permit(): Promise<Permit | Held> {
    const { deps, input, signal } = this.options;
    const { scopes, budget, syncId } = input.plan;
    // Known before anything is asked for: the workflow is the better place to wait.
    let blocked = this.blocked();
    if (blocked) return this.heldBy(blocked);
    const stop = new AbortController();
    const watch = setInterval(() => {
      blocked = this.blocked();
      if (blocked) stop.abort();
    }, blockedLookMs);
    watch.unref();
    const until = AbortSignal.any([signal, stop.signal, AbortSignal.timeout(permitWaitMs)]);
    try {
      return await deps.gate.acquire({ scopes, lane: budget.lane, sync: syncId, signal: until });
    } catch {
      if (blocked && !signal.aborted) return this.heldBy(blocked);
      const openUntil = deps.health.openUntil(scopes);
      if (openUntil > deps.now()) return this.held('breaker', openUntil - deps.now());
      return signal.aborted ? this.held('slice', 0) : this.held('budget', deps.gate.closedForMs(scopes, budget.lane));
    } finally {
      clearInterval(watch);
    }
  }

  private blocked(): Blocked | null {
    const { scopes, budget, syncId, warehouse } = this.options.input.plan;
    // Chunks of a DuckDB file wait in its own queue.
    return this.options.deps.health.blocked(scopes, { lane: budget.lane, sync: syncId, queued: true, polled: warehouse.engine === 'duckdb' });
  }

  private heldBy({ cause, untilMs }: Blocked): Held {
    return { kind: 'held', cause, untilMs };
  }

  /** What the breaker counts by; a few say as much as all. */
  private names(batch: readonly RowItem[]): string[] {
    return batch.slice(0, 3).map(({ key }) => this.options.deps.keyHmac(key));
  }
}
