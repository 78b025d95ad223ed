import { performance } from 'node:perf_hooks';
import type { Limit } from '../../connectors/connector';
import type { CallEnd, Gate, Permit, PermitRequest } from '../../connectors/permit';
import { lanes, type BudgetScope, type Lane } from '../../schemas/plan';
import { ScopeGate } from './scope-gate';

/** Lower lanes get one permit in this many while higher ones keep the gate busy. */
const guarantee = 10;

interface Waiter {
  request: PermitRequest;
  resolve(permit: Permit): void;
  reject(reason: unknown): void;
}

/**
 * The gate of one worker process: exact within the process, blind to others. Two workers on one account can together
 * exceed its limit; the vendor's 429 then pauses each. The durable budget per account will stand behind the same port.
 */
export class InProcessGate implements Gate {
  private readonly scopes = new Map<string, ScopeGate>();
  private waiters: Waiter[] = [];
  private served = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly limitsOf: (scope: BudgetScope) => readonly Limit[],
    private readonly now: () => number = () => performance.now(),
  ) {}

  tryAcquire(request: PermitRequest): Permit | null {
    // Who comes now may not overtake who waits for the same scopes in the same or a higher lane.
    const ahead = this.waiters.some((waiter) => rank(waiter.request.lane) <= rank(request.lane) && shareScope(waiter.request, request));
    return ahead ? null : this.take(request);
  }

  acquire(request: PermitRequest): Promise<Permit> {
    const { signal } = request;
    if (signal?.aborted) return Promise.reject(asError(signal.reason));
    const now = this.tryAcquire(request);
    if (now) return Promise.resolve(now);
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { request, resolve, reject };
      this.waiters.push(waiter);
      signal?.addEventListener('abort', () => this.drop(waiter, signal.reason), { once: true });
      this.pump();
    });
  }

  closedForMs(scopes: readonly BudgetScope[], _lane: Lane): number {
    const now = this.now();
    const at = Math.max(now, ...scopes.map((scope) => this.scope(scope).readyAt(now)));
    return Number.isFinite(at) ? at - now : 100; // calls in flight are in the way: soon, but nobody knows when
  }

  private take(request: PermitRequest): Permit | null {
    const now = this.now();
    const gates = request.scopes.map((scope) => this.scope(scope));
    if (gates.some((gate) => gate.readyAt(now) > now)) return null; // all scopes or none
    const units = request.cost ?? 1;
    const taken = gates.flatMap((gate) => Array.from({ length: units }, () => gate.take(now)));
    let open = true;
    const once = (end: () => void) => () => {
      if (!open) throw new Error('a permit was ended twice: every call ends its permit exactly once');
      open = false;
      end();
      this.pump();
    };
    return {
      scopes: request.scopes,
      done: (end: CallEnd) => once(() => taken.forEach((one) => one.done(end, this.now())))(),
      giveBack: once(() => taken.forEach((one) => one.giveBack())),
    };
  }

  private pump(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (let waiter = this.next(); waiter; waiter = this.next()) {
      const permit = this.take(waiter.request);
      if (!permit) break;
      this.waiters.splice(this.waiters.indexOf(waiter), 1);
      this.served++;
      waiter.resolve(permit);
    }
    const next = this.next();
    if (!next) return;
    const wait = this.closedForMs(next.request.scopes, next.request.lane);
    // Half a millisecond more, for timers that fire early.
    this.timer = setTimeout(() => this.pump(), Math.min(wait + 0.5, 60_000));
    this.timer.unref();
  }

  /** Whose turn it is: the highest lane, except that every so often the lowest lane waiting comes first. */
  private next(): Waiter | undefined {
    const order = [...this.waiters].sort((a, b) => rank(a.request.lane) - rank(b.request.lane));
    const turn = this.served % guarantee === guarantee - 1 ? order.at(-1) : order[0];
    // A scope without budget must not block the waiters of another.
    return turn && this.closedForMs(turn.request.scopes, turn.request.lane) === 0
      ? turn
      : (order.find((waiter) => this.closedForMs(waiter.request.scopes, waiter.request.lane) === 0) ?? soonest(order, this));
  }

  private drop(waiter: Waiter, reason: unknown): void {
    const index = this.waiters.indexOf(waiter);
    if (index < 0) return;
    this.waiters.splice(index, 1);
    waiter.reject(asError(reason));
  }

  private scope({ vendor, scope }: BudgetScope): ScopeGate {
    const id = `${vendor}/${scope}`;
    let gate = this.scopes.get(id);
    if (!gate) this.scopes.set(id, (gate = new ScopeGate(this.limitsOf({ vendor, scope }))));
    return gate;
  }
}

const rank = (lane: Lane): number => lanes.indexOf(lane);

function shareScope(a: PermitRequest, b: PermitRequest): boolean {
  return a.scopes.some((one) => b.scopes.some((two) => one.vendor === two.vendor && one.scope === two.scope));
}

function soonest(order: Waiter[], gate: Gate): Waiter | undefined {
  return [...order].sort((a, b) => gate.closedForMs(a.request.scopes, a.request.lane) - gate.closedForMs(b.request.scopes, b.request.lane))[0];
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted');
}
