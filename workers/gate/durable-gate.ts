import type { Admission, Asker, Blocked, CallReport, Health } from '../../activities/deps';
import type { LimitReading } from '../../connectors/connector';
import type { CallEnd, Gate, Permit, PermitRequest } from '../../connectors/permit';
import { budgetName, bulkLanes, type BudgetScope, type Lane } from '../../schemas/plan';
import type { BudgetAlert } from '../../workflows/budget/alerts';
import type { LeaseReply, LeaseRequest } from '../../workflows/budget/protocol';
import { GateCore, type Waiter } from './gate-core';
import { ScopeBudget, type ScopeOptions } from './scope-budget';
import { ScopeLink, type Timers } from './scope-link';

export interface DurableGateOptions {
  /** What the connector of a scope declares. */
  scope(scope: BudgetScope): ScopeOptions;
  /** Reads the vendor's own view of its quotas out of an answer's headers. */
  readings(scope: BudgetScope, end: CallEnd): readonly LimitReading[];
  /** Asks the budget. Rejects when it does not answer; the next request corrects what was lost. */
  lease(scope: BudgetScope, request: LeaseRequest): Promise<LeaseReply>;
  /** The scopes of every quota whose records come by the same task queues as those of these scopes. @default these alone */
  besides?(scopes: readonly BudgetScope[]): readonly (readonly BudgetScope[])[];
  /** Tasks waiting in the scope's queues. @default none */
  backlog?(scope: BudgetScope): Promise<number>;
  timers: Timers;
  /** Epoch milliseconds: the one place where a time of day leaves the gate. */
  epoch(): number;
  failed(scope: BudgetScope, error: unknown): void;
  /** Tells people; rejects when that came to nothing. @default nobody is told */
  alert?(scope: BudgetScope, alert: BudgetAlert): Promise<void>;
}

/** Held by an operator: whoever asks looks again after so long. */
const heldMs = 5_000;
/** Longer than a record waits in a worker's hands: closed for more than this, it goes back at once. */
const longMs = 20_000;
/** A record that waits in its workflow looks again after half the time that the pause has lasted, within these bounds. */
const [leastPauseMs, mostPauseMs] = [15_000, 5 * 60_000];
/** Long enough for a record to meet dozens of idle workers, one after the other, that have not heard of the pause: each then stops polling. */
const expectMs = 15 * 60_000;

/** The one door to vendors' quotas in this process: permits out of leases from the durable budgets of their scopes. */
export class DurableGate implements Gate, Health {
  private readonly links = new Map<string, ScopeLink>();
  private readonly core: GateCore;
  private cancel: (() => void) | undefined;
  private pumping = false;
  private again = false;

  constructor(private readonly options: DurableGateOptions) {
    this.core = new GateCore({
      scope: (scope) => this.link(scope).budget,
      readings: (scope, end) => options.readings(scope, end),
      now: () => options.timers.now(),
      changed: () => this.changed(),
    });
  }

  acquire(request: PermitRequest): Promise<Permit> {
    const { signal } = request;
    checkCost(request);
    if (signal?.aborted) return Promise.reject(asError(signal.reason));
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        if (this.core.drop(waiter)) reject(asError(signal?.reason));
      };
      const waiter: Waiter = {
        request,
        reject,
        resolve: (permit) => {
          signal?.removeEventListener('abort', abort);
          resolve(permit);
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.core.enqueue(waiter);
      this.changed();
    });
  }

  tryAcquire(request: PermitRequest): Permit | null {
    checkCost(request);
    return this.core.tryTake(request);
  }

  closedForMs(scopes: readonly BudgetScope[], lane: Lane): number {
    const now = this.options.timers.now();
    const links = scopes.map((scope) => this.link(scope));
    const shut = Math.max(now, ...links.map(({ budget }) => budget.holds.shutUntil(lane, now)));
    if (shut > now) return Math.min(shut - now, mostPauseMs);
    // Without a lease nobody knows better than: ask, it takes a moment.
    const known = links.filter(
      ({ budget }) => budget.hasLease(now) || now < budget.pausedUntil(now, budget.group('', lane)) || budget.breaker.openUntilAt(now) > 0,
    );
    if (known.length === 0) return 0;
    if (links.some(({ budget }) => budget.holds.pausedSince({ sync: '', lane }) < Infinity)) return heldMs;
    const at = this.core.readyFor({ scopes, lane, sync: '' });
    return Number.isFinite(at) ? at - now : 100; // calls on their way, or slots being moved, are in the way
  }

  admit(scopes: readonly BudgetScope[]): Admission {
    const breakers = scopes.map((scope) => this.link(scope).budget.breaker);
    if (breakers.some(({ probing }) => probing)) return { kind: 'probe' };
    const untilMs = this.openUntil(scopes);
    // Half-open: somebody else tests the vendor, and soon knows.
    return untilMs > 0 ? { kind: 'shut', untilMs: Math.max(untilMs, this.options.epoch() + 1_000) } : { kind: 'go' };
  }

  blocked(scopes: readonly BudgetScope[], who: Asker): Blocked | null {
    const now = this.options.timers.now();
    const groups = scopes.map((scope) => ({ budget: this.link(scope).budget, group: this.link(scope).budget.group(who.sync, who.lane) }));
    const shut = Math.max(now, ...groups.map(({ budget, group }) => budget.holds.shutUntil(group.lane, now)));
    if (shut > now) return { cause: 'off-peak', untilMs: Math.round(this.options.epoch() + shut - now) };
    const spent = Math.max(now, ...groups.map(({ budget, group }) => budget.pausedUntil(now, group)));
    if (spent - now > longMs) return { cause: 'budget', untilMs: Math.round(this.options.epoch() + spent - now) };
    // What an operator paused may have been resumed since: only a lease knows.
    const known = groups.filter(({ budget }) => budget.hasLease(now));
    const since = Math.min(Infinity, ...known.map(({ budget, group: { lane } }) => budget.holds.pausedSince({ sync: who.sync, lane })));
    if (since === Infinity) return null;
    return { cause: 'paused', untilMs: Math.round(this.options.epoch() + this.pauseMs(scopes, who, now - since)) };
  }

  /** How long to wait in its workflow for what has been paused for so long. */
  private pauseMs(scopes: readonly BudgetScope[], { lane, queued, polled }: Asker, lastedMs: number): number {
    if (polled || !this.isShut(scopes, lane)) return Math.min(mostPauseMs, Math.max(leastPauseMs, lastedMs / 2));
    // A queue none of whose lanes may go is not polled: that is the better place to wait, and left within seconds.
    if (!queued) return 0;
    // Polls that were out before still bring tasks, for a minute, ten at a time: back at once would be here again at once.
    for (const scope of scopes) this.link(scope).budget.holds.expectedUntil = this.options.timers.now() + expectMs;
    return leastPauseMs;
  }

  /** Everything that comes by the live queue, or the bulk queue, of these scopes' accounts is paused. */
  private isShut(scopes: readonly BudgetScope[], lane: Lane): boolean {
    const now = this.options.timers.now();
    const isPaused = (scope: BudgetScope, one: Lane): boolean => {
      const { budget } = this.link(scope);
      return budget.hasLease(now) && budget.holds.pausedSince({ sync: '', lane: one }) < Infinity;
    };
    const quotas = this.options.besides?.(scopes) ?? [scopes];
    return quotas.every((quota) => queueLanes(lane).every((one) => quota.some((scope) => isPaused(scope, one))));
  }

  report(scopes: readonly BudgetScope[], end: CallReport): void {
    for (const scope of scopes) {
      const link = this.link(scope);
      link.budget.breaker.report(end, this.options.timers.now(), link.budget.nextSeq);
    }
    this.changed();
  }

  openUntil(scopes: readonly BudgetScope[]): number {
    const now = this.options.timers.now();
    const until = Math.max(0, ...scopes.map((scope) => this.link(scope).budget.breaker.openUntilAt(now)));
    return until === 0 ? 0 : Math.round(this.options.epoch() + until - now);
  }

  suspects(scopes: readonly BudgetScope[]): readonly string[] {
    return scopes.flatMap((scope) => this.link(scope).budget.breaker.suspects);
  }

  lastLandedAt(scopes: readonly BudgetScope[]): number {
    const now = this.options.timers.now();
    const at = Math.min(...scopes.map((scope) => this.link(scope).budget.breaker.landedAt));
    return Number.isFinite(at) ? Math.round(this.options.epoch() + at - now) : 0;
  }

  /** Gives every lease back. Calls still waiting stay unserved. */
  async close(): Promise<void> {
    this.cancel?.();
    await Promise.all([...this.links.values()].map((link) => link.stop()));
  }

  private changed(): void {
    // Resolving a waiter may come back here: one loop at a time.
    if (this.pumping) {
      this.again = true;
      return;
    }
    this.pumping = true;
    let next: number;
    do {
      this.again = false;
      next = this.core.pump();
    } while (this.again);
    this.pumping = false;
    this.cancel?.();
    this.cancel = undefined;
    const { timers } = this.options;
    // Half a millisecond more, for timers that fire early.
    if (next < Infinity) this.cancel = timers.after(Math.min(Math.max(0, next - timers.now()) + 0.5, 60_000), () => this.changed());
    const wanted = this.core.wanted();
    for (const link of this.links.values()) {
      if (wanted.has(link.budget)) link.nudge();
      link.tell();
    }
  }

  private link(scope: BudgetScope): ScopeLink {
    const id = budgetName(scope);
    let link = this.links.get(id);
    if (!link) {
      const { options } = this;
      link = new ScopeLink({
        budget: this.newScope(options.scope(scope)),
        lease: (request) => options.lease(scope, request),
        backlog: () => options.backlog?.(scope) ?? Promise.resolve(0),
        timers: options.timers,
        changed: () => this.changed(),
        failed: (error) => options.failed(scope, error),
        alert: (alert) => options.alert?.(scope, alert) ?? Promise.resolve(),
      });
      this.links.set(id, link);
    }
    return link;
  }

  protected newScope(options: ScopeOptions): ScopeBudget {
    return new ScopeBudget(options);
  }
}

/** Lanes whose records share a task queue. */
export function queueLanes(lane: Lane): readonly Lane[] {
  return lane === 'live' ? ['live'] : bulkLanes;
}

function checkCost({ cost }: PermitRequest): void {
  if (cost !== undefined && !(Number.isInteger(cost) && cost > 0)) throw new Error(`a permit's cost is ${cost}; expected a whole number above 0`);
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted');
}
