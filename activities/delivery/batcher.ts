import type { Gate, Permit } from '../../connectors/permit';
import { lanes, type BudgetScope, type SyncPlan } from '../../schemas/plan';
import { nothingSent, type Blocked, type Health } from '../deps';
import { batchCap, type Item } from './item';

/** How far apart records come back that were blocked together: many thousands, after a night's hours begin. */
const spreadMs: Record<Blocked['cause'], number> = { paused: 5_000, budget: 5_000, 'off-peak': 5 * 60_000 };
const blockedLookMs = 500;

export interface BatcherOptions {
  gate: Gate;
  health: Pick<Health, 'admit' | 'blocked' | 'openUntil' | 'report' | 'suspects'>;
  /** 0..1: spreads what comes back together. */
  random: () => number;
  scopes: readonly BudgetScope[];
  maxBatch: number;
  maxBatchBytes: number;
  /** Claims, sends, settles; never rejects. An item it puts back goes through `add` again. */
  send(items: Item[], permit: Permit): Promise<void>;
  now: () => number;
}

/** A permit asked for on behalf of one sync in one lane; an abort withdraws. */
interface Ask {
  line: string;
  plan: SyncPlan;
  stop: AbortController;
}

/**
 * Coalesces records of concurrent runs into one vendor call per permit. There is no collecting timer: a batch leaves when a
 * permit is free, so it is as large as the budget is short. Each sync asks in its own name, lane by lane, so that the budget
 * serves it by its share and priority; what room its call has left goes to the others.
 */
export class Batcher {
  private waiting: Item[] = [];
  /** Keys in a call now: a second write of the same record must not overtake the first. */
  private readonly busyKeys = new Set<string>();
  private calls = 0;
  private pumping = false;
  private asks: Ask[] = [];
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
    this.pump();
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

  /** Soon, once for all that happens in this tick: records that arrive together join one batch. */
  private pump(): void {
    if (this.pumping) return;
    this.pumping = true;
    setImmediate(() => {
      this.pumping = false;
      this.askForAll();
    });
  }

  /** As many permits for each as it has full calls to send: the budget sees what is wanted. What is wanted no more is withdrawn. */
  private askForAll(): void {
    this.holdBlocked();
    const room = this.maxCalls - this.calls;
    const wanted = new Map<string, { plan: SyncPlan; records: number }>();
    for (const { plan } of room > 0 ? byLane(this.ready()) : []) {
      const one = wanted.get(lineOf(plan));
      if (one) one.records++;
      else wanted.set(lineOf(plan), { plan, records: 1 });
    }
    const most = (line: string): number => Math.min(room, Math.ceil((wanted.get(line)?.records ?? 0) / this.options.maxBatch));
    const stay: Ask[] = [];
    const asked = (line: string): number => stay.filter((one) => one.line === line).length;
    for (const ask of this.asks) {
      if (asked(ask.line) < most(ask.line)) stay.push(ask);
      else ask.stop.abort();
    }
    this.asks = stay;
    for (const [line, { plan }] of wanted) {
      for (let count = asked(line); count < most(line); count++) {
        const ask: Ask = { line, plan, stop: new AbortController() };
        this.asks.push(ask);
        // One after the other: what the first permit takes along, the next need not be asked for.
        setImmediate(() => void this.askAndSend(ask));
      }
    }
  }

  private async askAndSend(ask: Ask): Promise<void> {
    const { line, plan, stop } = ask;
    if (stop.signal.aborted) return;
    const over = (): void => void (this.asks = this.asks.filter((one) => one !== ask));
    if (!this.ready().some((item) => lineOf(item.plan) === line)) return over();
    const { health, scopes, maxBatch, now } = this.options;
    const untilMs = health.openUntil(scopes);
    // Open: no permit will come before then, and these records wait better in their workflows.
    const permit = untilMs <= now() ? await this.permit(plan, stop.signal) : null;
    over();
    if (untilMs > now()) this.holdAll(untilMs);
    if (!permit) return;
    // Others' calls went out meanwhile: the end of one asks again.
    if (this.calls >= this.maxCalls) return permit.giveBack();
    // Asked after the permit came, so that an admission is never left unreported.
    const admission = health.admit(scopes);
    if (admission.kind === 'shut') {
      permit.giveBack();
      return this.holdAll(admission.untilMs);
    }
    // While it was waited for, an operator may have paused others whose records would share the call.
    this.holdBlocked();
    const batch = admission.kind === 'probe' ? this.take(line, 1, health.suspects(scopes)) : this.take(line, maxBatch);
    void this.dispatch(batch, permit);
    this.pump();
  }

  /** Records that may not go whatever permits there are wait in their workflows: they keep nobody else's place here. */
  private holdBlocked(): void {
    const known = new Map<string, Blocked | null>();
    for (const item of [...this.waiting]) {
      const { syncId: sync, budget } = item.plan;
      const queued = item.queued === true;
      const key = `${budget.lane}/${sync}/${queued}`;
      if (!known.has(key)) known.set(key, this.options.health.blocked(this.options.scopes, { lane: budget.lane, sync, queued }));
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

  /** null: withdrawn, or the gate is closing down; items leave by deadline or shutdown. */
  private async permit({ syncId: sync, budget: { lane } }: SyncPlan, signal: AbortSignal): Promise<Permit | null> {
    const { gate, scopes } = this.options;
    // What it waits for may be paused meanwhile, or its lane's hours end.
    const watch = setInterval(() => this.pump(), blockedLookMs);
    watch.unref();
    try {
      return await gate.acquire({ scopes, lane, sync, signal });
    } catch {
      return null;
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

  /**
   * Next batch: records of the sync and lane whose permit it is, then the others in lane order; by arrival; never two of one
   * key; within the caps of count, bytes and of each item. None if it has none any more: the permit was meant for nobody else.
   * Of `suspects` only if nothing else waits, of whichever sync: a probe that meets a poisoned record says nothing of the vendor.
   */
  private take(line: string, most: number, suspects: readonly string[] = []): Item[] {
    const ready = byLane(this.ready());
    const own = ready.filter((item) => lineOf(item.plan) === line);
    if (own.length === 0) return [];
    const batch: Item[] = [];
    const keys = new Set<string>();
    let cap = Math.min(most, this.options.maxBatch);
    let bytes = 0;
    const others = ready.filter((item) => lineOf(item.plan) !== line);
    for (const item of suspectsLast([...own, ...others], suspects)) {
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

function suspectsLast(items: Item[], suspects: readonly string[]): Item[] {
  if (suspects.length === 0) return items;
  const isSuspect = ({ record }: Item): boolean => suspects.includes(record.keyHmac);
  return [...items.filter((item) => !isSuspect(item)), ...items.filter(isSuspect)];
}

/** Who asks for its permit. */
function lineOf({ syncId, budget }: SyncPlan): string {
  return `${budget.lane}/${syncId}`;
}

/** Stable: arrival order is kept inside a lane. */
function byLane(items: Item[]): Item[] {
  return items.sort((a, b) => lanes.indexOf(a.plan.budget.lane) - lanes.indexOf(b.plan.budget.lane));
}
