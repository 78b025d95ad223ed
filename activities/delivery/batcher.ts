import type { Gate, Permit } from '../../connectors/permit';
import { lanes, type BudgetScope, type Lane } from '../../schemas/plan';
import { nothingSent, type Blocked, type Health } from '../deps';
import { batchCap, type Item } from './item';

/** How far apart records come back that were blocked together: many thousands, after a night's hours begin. */
const spreadMs: Record<Blocked['cause'], number> = { paused: 5_000, budget: 5_000, 'off-peak': 5 * 60_000 };
const blockedLookMs = 500;

export interface BatcherOptions {
  gate: Gate;
  health: Pick<Health, 'admit' | 'blocked' | 'openUntil' | 'report'>;
  /** 0..1: spreads what comes back together. */
  random: () => number;
  scopes: readonly BudgetScope[];
  maxBatch: number;
  maxBatchBytes: number;
  /** Claims, sends, settles; never rejects. An item it puts back goes through `add` again. */
  send(items: Item[], permit: Permit): Promise<void>;
  now: () => number;
}

/**
 * Coalesces records of concurrent runs into one vendor call per permit. There is no collecting timer: a batch leaves when a
 * permit is free, so it is as large as the budget is short.
 */
export class Batcher {
  private waiting: Item[] = [];
  /** Keys in a call now: a second write of the same record must not overtake the first. */
  private readonly busyKeys = new Set<string>();
  private calls = 0;
  /** Lanes a permit is asked for: a live record doesn't wait behind a bulk one's. */
  private readonly asking = new Set<Lane>();
  private readonly maxCalls: number;

  constructor(private readonly options: BatcherOptions) {
    // Enough to fill the limits over a slow vendor; beyond that, waiting makes batches larger instead of calls more.
    this.maxCalls = options.maxBatch > 1 ? 8 : 64;
  }

  add(item: Item): void {
    this.waiting.push(item);
    this.pump();
    const wait = Math.max(0, item.deadlineMs - this.options.now());
    setTimeout(() => this.leave(item, 'budget'), wait).unref();
    if (item.notBeforeMs > this.options.now()) setTimeout(() => this.pump(), item.notBeforeMs - this.options.now()).unref();
  }

  /** Takes an unsent item out of the queue (cancelled, or the worker stops). A sent one finishes. */
  leave(item: Item, cause: 'budget' | 'shutdown'): void {
    if (!this.remove(item)) return;
    if (cause === 'shutdown') return item.settle({ kind: 'unsent', cause, untilMs: this.options.now() });
    if (item.notBeforeMs > this.options.now()) return item.settle({ kind: 'unsent', cause: 'claim', untilMs: item.notBeforeMs });
    const openUntil = this.options.health.openUntil(this.options.scopes);
    if (openUntil > this.options.now()) return item.settle({ kind: 'unsent', cause: 'breaker', untilMs: openUntil });
    const untilMs = this.options.now() + this.options.gate.closedForMs(this.options.scopes, item.plan.budget.lane);
    item.settle({ kind: 'unsent', cause, untilMs });
  }

  private remove(item: Item): boolean {
    const index = this.waiting.indexOf(item);
    if (index >= 0) this.waiting.splice(index, 1);
    return index >= 0;
  }

  private ready(): Item[] {
    const now = this.options.now();
    return this.waiting.filter((item) => item.notBeforeMs <= now && !this.busyKeys.has(item.record.keyHmac));
  }

  private pump(): void {
    this.holdBlocked();
    const first = byLane(this.ready())[0];
    if (!first || this.calls >= this.maxCalls || this.asking.has(first.plan.budget.lane)) return;
    const { lane } = first.plan.budget;
    this.asking.add(lane);
    // Records that arrive in the same tick join one batch.
    setImmediate(() => void this.askAndSend(lane));
  }

  private async askAndSend(lane: Lane): Promise<void> {
    const first = byLane(this.ready())[0];
    const untilMs = this.options.health.openUntil(this.options.scopes);
    // Open: no permit will come before then, and these records wait better in their workflows.
    const permit = first && untilMs <= this.options.now() ? await this.permit(lane, first.plan.syncId) : null;
    this.asking.delete(lane);
    if (permit === 'blocked') return this.pump();
    if (untilMs > this.options.now()) this.holdAll(untilMs);
    if (!permit) return;
    // Asked after the permit came, so that an admission is never left unreported.
    const admission = this.options.health.admit(this.options.scopes);
    if (admission.kind === 'shut') {
      permit.giveBack();
      return this.holdAll(admission.untilMs);
    }
    // While it was waited for, an operator may have paused others whose records would share the call.
    this.holdBlocked();
    const batch = this.take(admission.kind === 'probe' ? 1 : this.options.maxBatch);
    void this.dispatch(batch, permit);
    this.pump();
  }

  /** Records that may not go whatever permits there are wait in their workflows: they keep nobody else's place here. */
  private holdBlocked(): void {
    const known = new Map<string, Blocked | null>();
    for (const item of [...this.waiting]) {
      const { syncId: sync, budget } = item.plan;
      const key = `${budget.lane}/${sync}`;
      if (!known.has(key)) known.set(key, this.options.health.blocked(this.options.scopes, { lane: budget.lane, sync }));
      const blocked = known.get(key);
      if (!blocked) continue;
      this.remove(item);
      // In the queue's hands at once, or later: then not all in one moment.
      const spread = blocked.untilMs > this.options.now() ? Math.round(this.options.random() * spreadMs[blocked.cause]) : 0;
      item.settle({ kind: 'unsent', cause: blocked.cause, untilMs: blocked.untilMs + spread });
    }
  }

  private holdAll(untilMs: number): void {
    for (const item of this.waiting.splice(0)) item.settle({ kind: 'unsent', cause: 'breaker', untilMs });
  }

  /** `blocked`: while it was waited for, the sync was paused, or its lane's hours ended. */
  private async permit(lane: Lane, sync: string): Promise<Permit | 'blocked' | null> {
    const { gate, health, scopes } = this.options;
    const stop = new AbortController();
    const watch = setInterval(() => health.blocked(scopes, { lane, sync }) && stop.abort(), blockedLookMs);
    watch.unref();
    try {
      return await gate.acquire({ scopes, lane, sync, signal: stop.signal });
    } catch {
      // Else the gate is closing down; items leave by deadline or shutdown.
      return stop.signal.aborted ? 'blocked' : null;
    } finally {
      clearInterval(watch);
    }
  }

  private async dispatch(batch: Item[], permit: Permit): Promise<void> {
    if (batch.length === 0) {
      this.options.health.report(this.options.scopes, nothingSent);
      return permit.giveBack();
    }
    this.calls++;
    for (const item of batch) this.busyKeys.add(item.record.keyHmac);
    await this.options.send(batch, permit);
    this.calls--;
    for (const item of batch) this.busyKeys.delete(item.record.keyHmac);
    this.pump();
  }

  /** Next batch: lane order, then arrival; never two of one key; within the caps of count, bytes and of each item. */
  private take(most: number): Item[] {
    const batch: Item[] = [];
    const keys = new Set<string>();
    let cap = Math.min(most, this.options.maxBatch);
    let bytes = 0;
    for (const item of byLane(this.ready())) {
      const size = Buffer.byteLength(JSON.stringify(item.record.input));
      const nextCap = Math.min(cap, batchCap(item));
      if (batch.length >= nextCap || keys.has(item.record.keyHmac)) continue;
      if (batch.length > 0 && bytes + size > this.options.maxBatchBytes) continue;
      batch.push(item);
      keys.add(item.record.keyHmac);
      cap = nextCap;
      bytes += size;
      if (batch.length >= cap) break;
    }
    const taken = new Set(batch);
    this.waiting = this.waiting.filter((item) => !taken.has(item));
    return batch;
  }
}

/** Stable: arrival order is kept inside a lane. */
function byLane(items: Item[]): Item[] {
  return items.sort((a, b) => lanes.indexOf(a.plan.budget.lane) - lanes.indexOf(b.plan.budget.lane));
}
