import type { BudgetAlert } from '../../workflows/budget/alerts';
import type { LeaseReply, LeaseRequest } from '../../workflows/budget/protocol';
import type { ScopeBudget } from './scope-budget';

/** Clock and timers; virtual in tests. Milliseconds of one monotonic clock. */
export interface Timers {
  now(): number;
  /** Calls `run` after `ms`; the returned function cancels. */
  after(ms: number, run: () => void): () => void;
}

export interface ScopeLinkOptions {
  budget: ScopeBudget;
  lease(request: LeaseRequest): Promise<LeaseReply>;
  timers: Timers;
  /** Tasks waiting in the scope's queues; asked only while nothing is polled. */
  backlog(): Promise<number>;
  /** The lease changed: something may go now. */
  changed(): void;
  failed(error: unknown): void;
  /** Delivers an alert; rejects when that came to nothing: the budget will hand it to somebody again. */
  alert(alert: BudgetAlert): Promise<void>;
}

/** A process that spent nothing for so long gives everything back and falls silent. */
const idleMs = 5_000;
/** Asking again for what was just refused changes nothing. */
const askAgainMs = 400;
const firstRetryMs = 250;
const lastRetryMs = 5_000;

/** Keeps one scope's lease while there is something to spend it on. One request at a time. */
export class ScopeLink {
  private busy = false;
  private cancel: (() => void) | undefined;
  private dueAt = Infinity;
  private endedAt = -Infinity;
  private retryMs = 0;
  private stopped = false;
  private toldFull = false;

  constructor(private readonly options: ScopeLinkOptions) {}

  get budget(): ScopeBudget {
    return this.options.budget;
  }

  /** Somebody waits, and nothing can go now. */
  nudge(): void {
    const { budget, timers } = this.options;
    const now = timers.now();
    const again = this.retryMs > 0 ? this.endedAt + this.retryMs : this.endedAt + askAgainMs;
    if (now < budget.pausedUntil(now) && budget.hasLease(now)) return;
    if (budget.breaker.shutUntil(now) === Infinity) return this.at(again);
    if (!budget.hasLease(now)) return this.at(this.retryMs > 0 ? again : now);
    const full = budget.groups.current(now).some((group) => group.waiting > 0 && budget.groups.isFull(group, now));
    if ((full && !this.toldFull) || budget.counts.some((stock) => stock.ranOut(now))) this.at(again);
  }

  /** There is something to tell at once. */
  tell(): void {
    if (this.budget.urgent) this.at(this.options.timers.now());
  }

  /** Gives everything back; resolves when the budget knows, or cannot be told. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.cancel?.();
    if (this.busy || !this.budget.hasLease(this.options.timers.now())) return;
    await this.options.lease(this.budget.request(this.options.timers.now(), 0, true)).catch(() => undefined);
  }

  /** Beside everything else: a receiver that is slow or away disturbs no delivery. */
  private carry(alert: BudgetAlert): void {
    void this.options.alert(alert).then(
      () => {
        this.budget.alerted.add(alert.id);
        this.tell();
      },
      () => undefined,
    );
  }

  private at(time: number): void {
    if (this.stopped || this.busy || time >= this.dueAt) {
      if (this.busy) this.dueAt = Math.min(this.dueAt, time);
      return;
    }
    this.cancel?.();
    this.dueAt = time;
    this.cancel = this.options.timers.after(Math.max(0, time - this.options.timers.now()), () => void this.renew());
  }

  private async renew(): Promise<void> {
    if (this.busy || this.stopped) return;
    const { budget, timers } = this.options;
    this.busy = true;
    this.dueAt = Infinity;
    const now = timers.now();
    const idle = budget.groups.waiting === 0 && budget.inFlight === 0 && now - budget.spentAt >= idleMs && now >= budget.holds.expectedUntil;
    const backlog = idle ? await this.options.backlog().catch(() => 0) : 0;
    const release = idle && backlog === 0 && !budget.urgent;
    const sentAt = timers.now();
    const request = budget.request(sentAt, backlog, release);
    let nextMs: number;
    try {
      const reply = await this.options.lease(request);
      budget.apply(reply, request, sentAt, timers.now());
      for (const alert of reply.alerts ?? []) this.carry(alert);
      this.toldFull = request.demand.some(({ full }) => full);
      this.retryMs = 0;
      nextMs = reply.renewMs;
    } catch (error) {
      this.retryMs = Math.min(lastRetryMs, Math.max(firstRetryMs, this.retryMs * 2));
      nextMs = this.retryMs;
      this.options.failed(error);
    }
    this.busy = false;
    this.endedAt = timers.now();
    const asked = this.dueAt;
    this.dueAt = Infinity;
    const waits = budget.groups.waiting > 0;
    // From the sending: a reply that took long leaves a short lease.
    const due = this.retryMs > 0 ? this.endedAt + nextMs : Math.max(this.endedAt, sentAt + (budget.urgent ? 0 : nextMs));
    if (!release || waits || budget.urgent) this.at(Math.min(asked, due));
    this.options.changed();
  }
}
