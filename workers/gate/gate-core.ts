import type { LimitReading } from '../../connectors/connector';
import type { CallEnd, Permit, PermitRequest } from '../../connectors/permit';
import { lanes, type BudgetScope } from '../../schemas/plan';
import type { Group } from './demand';
import type { ScopeBudget } from './scope-budget';

/** A call waiting for its permits. */
export interface Waiter {
  request: PermitRequest;
  resolve(permit: Permit): void;
  reject(reason: unknown): void;
}

/** Waiters of one sync in one lane on the same scopes: served in order of arrival. */
interface Line {
  scopes: ScopeBudget[];
  groups: Group[];
  queue: Waiter[];
  /** Calls it is sure of and has not had: grows at its floor's rate. */
  credit: number;
  creditAt: number;
  /** Stride: who was served least, by weight, is next in its lane. */
  served: number;
}

export interface GateCoreOptions {
  scope(scope: BudgetScope): ScopeBudget;
  readings(scope: BudgetScope, end: CallEnd): readonly LimitReading[];
  now: () => number;
  /** After a permit ended or was given back: something may go now. */
  changed(): void;
}

/** Who is next. Permits from all scopes or none; a scope without budget blocks nobody else. No timers of its own. */
export class GateCore {
  private readonly lines = new Map<string, Line>();
  private owedLast = false;

  constructor(private readonly options: GateCoreOptions) {}

  enqueue(waiter: Waiter): void {
    const line = this.lineOf(waiter.request);
    // Who comes back after a pause claims nothing for it.
    if (line.queue.length === 0) line.served = Math.max(line.served, leastServed(this.waiting()));
    line.queue.push(waiter);
    for (const group of line.groups) group.waiting += units(waiter.request);
  }

  /** Takes a waiter out; false when it has its permit already. */
  drop(waiter: Waiter): boolean {
    const line = this.lineOf(waiter.request);
    const index = line.queue.indexOf(waiter);
    if (index < 0) return false;
    this.leave(line, index);
    return true;
  }

  /** A permit right now, unless somebody waits for the same scopes in the same or a higher lane. */
  tryTake(request: PermitRequest): Permit | null {
    const line = this.lineOf(request);
    const now = this.options.now();
    const ahead = this.waiting().some((other) => rank(other) <= rank(line) && other.scopes.some((scope) => line.scopes.includes(scope)));
    return ahead || this.readyAt(line, units(request), now) > now ? null : this.take(line, request, now);
  }

  /** Hands out what can go; returns when something more can, `Infinity` when only an event will tell. */
  pump(): number {
    for (;;) {
      const now = this.options.now();
      const waiting = this.waiting();
      const times = waiting.map((line) => this.readyAt(line, units(line.queue[0]!.request), now));
      const line = this.next(
        waiting.filter((_, index) => (times[index] ?? Infinity) <= now),
        now,
      );
      if (!line) return Math.min(Infinity, ...times);
      const waiter = line.queue[0]!;
      this.leave(line, 0);
      waiter.resolve(this.take(line, waiter.request, now));
    }
  }

  /** When a call of these scopes and lane could go; `Infinity` = nobody knows yet. */
  readyFor(request: PermitRequest): number {
    return this.readyAt(this.lineOf(request), units(request), this.options.now());
  }

  /** Scopes somebody waits for. */
  wanted(): Set<ScopeBudget> {
    return new Set(this.waiting().flatMap((line) => line.scopes));
  }

  private waiting(): Line[] {
    return [...this.lines.values()].filter((line) => line.queue.length > 0);
  }

  /** Lane by lane, inside a lane by weight; every other turn belongs to a line that is owed part of its guarantee. */
  private next(ready: readonly Line[], now: number): Line | undefined {
    for (const line of ready) this.accrue(line, now);
    const owed = ready.filter((line) => line.credit >= 1).sort((a, b) => b.credit - a.credit)[0];
    const first = [...ready].sort((a, b) => rank(a) - rank(b) || a.served - b.served)[0];
    this.owedLast = owed !== undefined && !this.owedLast;
    return this.owedLast ? owed : first;
  }

  private accrue(line: Line, now: number): void {
    const perMs = Math.min(...line.groups.map((group) => group.floorPerMs));
    line.credit = Math.min(2, line.credit + (now - line.creditAt) * perMs);
    line.creditAt = now;
  }

  private take(line: Line, request: PermitRequest, now: number): Permit {
    const cost = units(request);
    const taken = line.scopes.map((scope, index) => scope.take(line.groups[index]!, cost, now));
    line.served += cost / Math.max(1, Math.min(...line.groups.map((group) => group.weight)));
    line.credit = Math.max(-2, line.credit - cost);
    let open = true;
    const once = (end: () => void): void => {
      if (!open) throw new Error('a permit was ended twice: every call ends its permit exactly once');
      open = false;
      end();
      this.options.changed();
    };
    return {
      scopes: request.scopes,
      sent: () => taken.forEach((one) => one.sent(this.options.now())),
      done: (end) => once(() => taken.forEach((one, index) => one.done(end, this.options.readings(request.scopes[index]!, end), this.options.now()))),
      giveBack: () => once(() => taken.forEach((one) => one.giveBack())),
    };
  }

  private readyAt(line: Line, cost: number, now: number): number {
    return Math.max(now, ...line.scopes.map((scope, index) => scope.readyAt(line.groups[index]!, cost, now)));
  }

  private leave(line: Line, index: number): void {
    const [waiter] = line.queue.splice(index, 1);
    if (waiter) for (const group of line.groups) group.waiting -= units(waiter.request);
  }

  private lineOf(request: PermitRequest): Line {
    const key = `${request.lane}/${request.sync}/${request.scopes.map(({ vendor, scope }) => `${vendor}/${scope}`).join('+')}`;
    let line = this.lines.get(key);
    if (!line) {
      const scopes = request.scopes.map((scope) => this.options.scope(scope));
      const now = this.options.now();
      line = { scopes, groups: [], queue: [], credit: 0, creditAt: now, served: 0 };
      this.lines.set(key, line);
    }
    // Asked for anew each time: a group long silent is dropped by its scope.
    if (line.queue.length === 0) line.groups = line.scopes.map((scope) => scope.group(request.sync, request.lane));
    return line;
  }
}

function rank(line: Line): number {
  return Math.max(...line.groups.map((group) => lanes.indexOf(group.lane)));
}

function leastServed(lines: readonly Line[]): number {
  return lines.length === 0 ? 0 : Math.min(...lines.map((line) => line.served));
}

function units(request: PermitRequest): number {
  return request.cost ?? 1;
}
