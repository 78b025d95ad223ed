import type { LimitReading } from '../../connectors/connector';
import type { CallEnd, Permit, PermitRequest } from '../../connectors/permit';
import { budgetName, lanes, type BudgetScope } from '../../schemas/plan';
import { waits, type Group } from './demand';
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
  /** Further requests of a probe: what holds all others back lets these through. */
  probe: boolean;
  /** Calls it is sure of and has not had: grows at its floor's rate. */
  credit: number;
  creditAt: number;
  /** Stride: who was served least, by weight, is next in its lane. */
  served: number;
}

/** So much of its guarantee can be owed to a line: slots that were taken together are free together. Milliseconds. */
const creditSpanMs = 10_000;

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

  constructor(private readonly options: GateCoreOptions) {}

  enqueue(waiter: Waiter): void {
    const line = this.lineOf(waiter.request);
    // Who comes back after a pause claims nothing for it; who asks for one call after the other is not away in between.
    if (line.queue.length === 0) line.served = Math.max(line.served, leastServed(this.waiting()));
    line.queue.push(waiter);
    for (const group of line.groups) waits(group, units(waiter.request), 1);
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
    const ahead = this.waiting().some((other) => (rank(other) <= rank(line) || this.isOwed(other, now)) && sharesScope(other, line));
    return ahead || this.readyAt(line, units(request), now) > now ? null : this.take(line, request, now);
  }

  /** Hands out what can go; returns when something more can, `Infinity` when only an event will tell. */
  pump(): number {
    for (;;) {
      const now = this.options.now();
      const waiting = this.waiting();
      const owed = waiting.filter((line) => this.isOwed(line, now));
      const times = new Map(waiting.map((line) => [line, this.readyAt(line, units(line.queue[0]!.request), now, owed.includes(line))]));
      // What is guaranteed is kept free for who is owed it: others would take every slot in the moment it is free.
      const kept = new Set(owed.flatMap((one) => this.awaited(one, times.get(one)!, now)));
      const ready = waiting.filter((one) => times.get(one)! <= now && (owed.includes(one) || !one.scopes.some((scope) => kept.has(scope))));
      const line = next(ready, owed);
      if (!line) return Math.min(Infinity, ...[...times.values()].filter((at) => at > now));
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

  /** The scopes that hold it back, when it is known until when: one that waits for another scope blocks nobody here. */
  private awaited(line: Line, readyAt: number, now: number): ScopeBudget[] {
    if (readyAt <= now || readyAt === Infinity) return [];
    const cost = units(line.queue[0]!.request);
    return line.scopes.filter((scope, index) => scope.readyAt(line.groups[index]!, cost, now, { owed: true, probe: line.probe }) === readyAt);
  }

  /** Whether a whole call of its guarantee is due. Its credit grows at the rate of its floor, and every call takes from it. */
  private isOwed(line: Line, now: number): boolean {
    const perMs = Math.min(...line.groups.map((group) => group.floorPerMs));
    line.credit = Math.min(Math.max(2, perMs * creditSpanMs), line.credit + (now - line.creditAt) * perMs);
    line.creditAt = now;
    return line.credit >= 1;
  }

  private take(line: Line, request: PermitRequest, now: number): Permit {
    const cost = units(request);
    const taken = line.scopes.map((scope, index) => scope.take(line.groups[index]!, cost, now));
    const [served, credit] = [cost * stepOf(line), Math.min(cost, line.credit + 2)];
    line.served += served;
    line.credit -= credit;
    let open = true;
    const once = (end: () => void): void => {
      if (!open) throw new Error('a permit was ended twice: every call ends its permit exactly once');
      open = false;
      end();
      this.options.changed();
    };
    return {
      scopes: request.scopes,
      probe: taken.some(({ probe }) => probe),
      expired: () => taken.some((one) => one.expired(this.options.now())),
      sent: () => taken.forEach((one) => one.sent(this.options.now())),
      done: (end) => once(() => taken.forEach((one, index) => one.done(end, this.options.readings(request.scopes[index]!, end), this.options.now()))),
      giveBack: () =>
        once(() => {
          taken.forEach((one) => one.giveBack());
          // Not served: it is as near to its turn as before.
          line.served -= served;
          line.credit += credit;
        }),
    };
  }

  private readyAt(line: Line, cost: number, now: number, owed = false): number {
    return Math.max(now, ...line.scopes.map((scope, index) => scope.readyAt(line.groups[index]!, cost, now, { owed, probe: line.probe })));
  }

  private leave(line: Line, index: number): void {
    const [waiter] = line.queue.splice(index, 1);
    if (waiter) for (const group of line.groups) waits(group, units(waiter.request), -1);
  }

  private lineOf(request: PermitRequest): Line {
    const key = `${request.lane}/${request.sync}/${request.scopes.map(budgetName).join('+')}${request.probe ? '/probe' : ''}`;
    let line = this.lines.get(key);
    if (!line) {
      const scopes = request.scopes.map((scope) => this.options.scope(scope));
      const now = this.options.now();
      line = { scopes, groups: [], queue: [], probe: request.probe === true, credit: 0, creditAt: now, served: 0 };
      this.lines.set(key, line);
    }
    // Asked for anew each time: a group long silent is dropped by its scope.
    if (line.queue.length === 0) line.groups = line.scopes.map((scope) => scope.group(request.sync, request.lane));
    return line;
  }
}

/** Who is owed a call goes first; then lane by lane, inside a lane by weight. */
function next(ready: readonly Line[], owed: readonly Line[]): Line | undefined {
  const due = ready.filter((line) => owed.includes(line)).sort((a, b) => b.credit - a.credit)[0];
  return due ?? [...ready].sort((a, b) => rank(a) - rank(b) || a.served - b.served)[0];
}

function sharesScope(one: Line, other: Line): boolean {
  return one.scopes.some((scope) => other.scopes.includes(scope));
}

function rank(line: Line): number {
  return Math.max(...line.groups.map((group) => lanes.indexOf(group.lane)));
}

/** How much of its turn one call takes. */
function stepOf(line: Line): number {
  return 1 / Math.max(1, Math.min(...line.groups.map((group) => group.weight)));
}

/** How far behind a line is at most that never went away: by the step of another. */
function leastServed(lines: readonly Line[]): number {
  return lines.length === 0 ? 0 : Math.min(...lines.map((line) => line.served - stepOf(line)));
}

function units(request: PermitRequest): number {
  return request.cost ?? 1;
}
