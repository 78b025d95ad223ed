import type { Permit } from '../../connectors/permit';
import type { LimitReading } from '../../connectors/connector';
import type { OffPeak } from '../../schemas/off-peak';
import type { Lane } from '../../schemas/plan';
import { DurableGate, type DurableGateOptions } from '../../workers/gate/durable-gate';
import type { RoundTripOptions } from '../../workers/gate/round-trips';
import { type ScopeBudget, type ScopeOptions } from '../../workers/gate/scope-budget';
import { lease } from '../../workflows/budget/lease';
import type { BudgetLimit, LeaseReply, LeaseRequest } from '../../workflows/budget/protocol';
import { newBudget, type BudgetState } from '../../workflows/budget/state';

/** Virtual time: events in order; promises settle between two events. Milliseconds. */
export class VirtualTime {
  now = 0;
  private events: { at: number; order: number; run: () => void; off?: boolean }[] = [];
  private order = 0;

  after(ms: number, run: () => void): () => void {
    const event = { at: this.now + Math.max(0, ms), order: this.order++, run, off: false };
    let index = this.events.length;
    while (index > 0 && later(this.events[index - 1]!, event)) index--;
    this.events.splice(index, 0, event);
    return () => void (event.off = true);
  }

  async run(until: number): Promise<void> {
    for (let event = this.events[0]; event && event.at <= until; event = this.events[0]) {
      this.events.shift();
      if (event.off) continue;
      this.now = event.at;
      event.run();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.now = until;
  }
}

function later(one: { at: number; order: number }, two: { at: number; order: number }): boolean {
  return one.at > two.at || (one.at === two.at && one.order > two.order);
}

/** Numbers from a seed. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface WorldOptions {
  seed: number;
  limits: BudgetLimit[];
  shares?: Record<string, number>;
  offPeak?: OffPeak;
  /** Epoch ms at which the budget's clock starts. @default some moment */
  startAt?: number;
  /** How far each worker's clock runs ahead per second, milliseconds. @default 0 */
  drift?: number;
  /** Part of lease requests, and of replies, that get lost; part that arrives twice or late. @default 0 */
  lost?: number;
  /** Way to the vendor and back, milliseconds. @default 5..20 */
  way?: [number, number];
  /** Time the vendor works on a call, milliseconds. @default 20..80 */
  work?: [number, number];
  roundTrips?: RoundTripOptions;
  /** Seeded faults. */
  scope?: (options: ScopeOptions) => ScopeBudget;
  tamper?: (state: BudgetState, request: LeaseRequest) => void;
  /** The vendor's verdict on a call. @default strict: 429 over a limit; else 200 */
  verdict?: (now: number, arrival: Omit<Arrival, 'doneAt'>) => { status: number | null; retryAfterMs?: number; readings?: LimitReading[] };
}

/** Calls of one vendor account in time: who, when they came in, when they were done. */
export interface Arrival {
  at: number;
  doneAt: number;
  lane: Lane;
  sync: string;
  worker: string;
  /** @default 1 */
  cost?: number;
}

export interface VirtualWorker {
  name: string;
  gate: DurableGate;
  alive: boolean;
  crash(): void;
}

export const worldScope = { vendor: 'v', scope: 'main' };

/** A budget, its workers and a strict vendor, in virtual time. */
export class BudgetWorld {
  readonly time = new VirtualTime();
  readonly chance: () => number;
  readonly arrivals: Arrival[] = [];
  state: BudgetState;
  requests = 0;
  /** Slots held and cooling never exceed the limit: checked at every request. */
  overheld: string[] = [];
  stalledUntil = 0;
  /** One worker whose requests are lost for a while. */
  cutOff: { worker: string; until: number } | undefined;
  private readonly clockOffset: number;
  private started = 0;

  constructor(readonly options: WorldOptions) {
    this.chance = random(options.seed);
    this.clockOffset = options.startAt ?? Math.floor(this.chance() * 1e9);
    this.state = newBudget(this.clockOffset);
  }

  between([from, to]: [number, number]): number {
    return from + this.chance() * (to - from);
  }

  startWorker(change: Partial<DurableGateOptions> = {}): VirtualWorker {
    const { time } = this;
    const offset = this.chance() * 1e7;
    // Quartz is off by some hundred parts in a million at worst, either way.
    const pace = 1 + ((this.options.drift ?? 0) * (this.chance() * 2 - 1)) / 1_000;
    const { scope: make } = this.options;
    const name = `w${++this.started}`;
    const worker: VirtualWorker = { name, alive: true, gate: undefined as never, crash: () => void (worker.alive = false) };
    class Gate extends DurableGate {
      protected override newScope(options: ScopeOptions): ScopeBudget {
        return make ? make(options) : super.newScope(options);
      }
    }
    worker.gate = new Gate({
      scope: () => ({
        worker: name,
        limits: this.options.limits,
        shares: this.options.shares ?? {},
        offPeak: this.options.offPeak ?? null,
        ...(this.options.roundTrips ? { roundTrips: this.options.roundTrips } : {}),
      }),
      readings: (_scope, { headers }) => JSON.parse(headers['readings'] ?? '[]') as LimitReading[],
      lease: (_scope, request) => this.lease(JSON.parse(JSON.stringify(request)) as LeaseRequest),
      timers: { now: () => time.now * pace + offset, after: (ms, run) => time.after(ms / pace, () => worker.alive && run()) },
      epoch: () => time.now,
      failed: () => undefined,
      ...change,
    });
    return worker;
  }

  /** One request, over a network that loses and delays. */
  lease(request: LeaseRequest): Promise<LeaseReply> {
    const { time } = this;
    const lost = this.options.lost ?? 0;
    return new Promise((resolve, reject) => {
      time.after(3_000, () => reject(new Error('no answer')));
      if (this.chance() < lost) return;
      if (this.cutOff && request.worker === this.cutOff.worker && time.now < this.cutOff.until) return;
      const process = (answer: boolean): void => {
        if (time.now < this.stalledUntil) return void time.after(this.stalledUntil - time.now + this.chance() * 50, () => process(answer));
        const reply = this.process(request);
        if (answer && this.chance() >= lost) time.after(this.between([2, 30]), () => resolve(JSON.parse(JSON.stringify(reply)) as LeaseReply));
      };
      // Some come so late that their sender has given up on them, some twice.
      const way = this.chance() < lost ? this.between([0, 5_000]) : this.between([2, 30]);
      time.after(way, () => process(true));
      if (this.chance() < lost) time.after(way + this.between([0, 9_000]), () => process(false));
    });
  }

  private process(request: LeaseRequest): LeaseReply {
    this.requests++;
    this.state = JSON.parse(JSON.stringify(this.state)) as BudgetState; // as continue-as-new would
    this.options.tamper?.(this.state, request);
    const reply = lease(this.state, request, this.clockOffset + this.time.now - Math.floor(this.chance() * 3)); // a clock that is not quite steady
    for (const window of this.state.slots) {
      const held = Object.values(this.state.workers).reduce((sum, worker) => sum + (worker.slots[window.name]?.granted ?? 0), 0);
      const cooling = window.cooling.reduce((sum, [count]) => sum + count, 0);
      if (held + cooling > window.max && this.state.slots.every(({ ceiling, said }) => ceiling === 1 && said === 0) && (this.options.lost ?? 0) === 0) {
        this.overheld.push(`${window.name}: ${held} held, ${cooling} cooling of ${window.max}`);
      }
    }
    return reply;
  }

  /**
   * Keeps `backlog` calls waiting between `from` and `to`. `linger`: between a permit and its request, milliseconds; `heedless`:
   * sends with permits that are over, a seeded fault.
   */
  demand(
    worker: VirtualWorker,
    options: {
      lane: Lane;
      sync?: string;
      backlog: number;
      from?: number;
      to?: number;
      giveBack?: number;
      silent?: number;
      cost?: number;
      linger?: [number, number];
      heedless?: boolean;
    },
  ): void {
    const { time } = this;
    const { lane, sync = lane, from = 0, to = Infinity } = options;
    const one = async (): Promise<void> => {
      while (worker.alive && time.now < to) {
        const stop = new AbortController();
        const cancel = to === Infinity ? () => undefined : time.after(Math.max(0, to - time.now), () => stop.abort());
        const permit = await worker.gate
          .acquire({ scopes: [worldScope], lane, sync, signal: stop.signal, ...(options.cost ? { cost: options.cost } : {}) })
          .catch(() => null);
        cancel();
        if (!permit || !worker.alive) return;
        if (options.linger) {
          const ms = this.between(options.linger);
          await new Promise<void>((resolve) => time.after(ms, resolve));
        }
        if (this.chance() < (options.giveBack ?? 0) || (permit.expired?.() && !options.heedless)) permit.giveBack();
        else await this.call(worker, permit, lane, sync, this.chance() < (options.silent ?? 0), options.cost);
      }
    };
    for (let count = 0; count < options.backlog; count++) time.after(Math.max(0, from - time.now), () => void one());
  }

  /** Makes one call at `at` every `ms` on average; what became of each: how long it waited. */
  trickle(worker: VirtualWorker, options: { lane: Lane; everyMs: number; from?: number; to: number }): number[] {
    const waits: number[] = [];
    const next = (at: number): void => {
      if (at >= options.to) return;
      this.time.after(at - this.time.now, () => {
        const asked = this.time.now;
        void worker.gate.acquire({ scopes: [worldScope], lane: options.lane, sync: options.lane }).then((permit) => {
          waits.push(this.time.now - asked);
          return this.call(worker, permit, options.lane, options.lane, false);
        });
        next(at - options.everyMs * Math.log(1 - this.chance()));
      });
    };
    next(options.from ?? 0);
    return waits;
  }

  private call(worker: VirtualWorker, permit: Permit, lane: Lane, sync: string, silent: boolean, cost?: number): Promise<void> {
    const { time } = this;
    const there = this.between(this.options.way ?? [5, 20]);
    // One that never answers is over for the vendor when the client hangs up.
    const work = silent ? 10_000 - there : this.between(this.options.work ?? [20, 80]);
    const back = this.between(this.options.way ?? [5, 20]);
    return new Promise((resolve) => {
      let over = false;
      const end = (status: number | null, retryAfterMs?: number, readings?: LimitReading[]): void => {
        if (over) return;
        over = true;
        if (worker.alive)
          permit.done({
            status,
            headers: readings ? { readings: JSON.stringify(readings) } : {},
            ...(status === 429 ? { rateLimited: retryAfterMs === undefined ? {} : { retryAfterMs } } : {}),
          });
        resolve();
      };
      time.after(there, () => {
        const arrival = { at: time.now, lane, sync, worker: worker.name, ...(cost ? { cost } : {}) };
        const verdict = this.options.verdict?.(time.now, arrival) ?? { status: 200 };
        if (verdict.status !== 429) this.arrivals.push({ ...arrival, doneAt: time.now + work });
        if (!silent || verdict.status === 429)
          time.after(verdict.status === 429 ? back : work + back, () => end(verdict.status, verdict.retryAfterMs, verdict.readings));
      });
      time.after(10_000, () => end(null)); // the client's timeout
    });
  }

  /** Most units in any window, in the vendor's own order of arrival. */
  most(limit: BudgetLimit): number {
    if (limit.kind === 'concurrent') {
      const steps = this.arrivals
        .flatMap(
          ({ at, doneAt }) =>
            [
              [at, 1],
              [doneAt, -1],
            ] as const,
        )
        .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      let now = 0;
      return steps.reduce((most, [, step]) => Math.max(most, (now += step)), 0);
    }
    const calls = [...this.arrivals].sort((a, b) => a.at - b.at);
    let first = 0;
    let units = 0;
    let most = 0;
    for (const { at, cost = 1 } of calls) {
      units += cost;
      while (calls[first]!.at <= at - limit.ms) units -= calls[first++]!.cost ?? 1;
      most = Math.max(most, units);
    }
    return most;
  }

  count(from: number, to: number, which: (arrival: Arrival) => boolean = () => true): number {
    return this.arrivals.filter((one) => one.at >= from && one.at < to && which(one)).length;
  }
}
