import { condition, patched, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { HeldChunk, OutcomeCounts, SendChunkResult, TableHeldCause, TablePlan, TableSums } from '../../schemas/table';
import { chunkSteps } from './activities';

/** Causes that hold every chunk of an account, not one. */
const shared: readonly TableHeldCause[] = ['budget', 'breaker', 'credentials', 'warehouse'];
/** The same. An older version did not know them, and went on with the other chunks. */
const sharedSince: readonly TableHeldCause[] = ['paused', 'off-peak'];

const holdsAll = ({ cause }: HeldChunk): boolean => shared.includes(cause) || (sharedSince.includes(cause) && patched('pauses-hold-all-chunks'));

/** Jobs of a run that a vendor works on at a time: they run one after another there anyway. */
const jobsAtOnce = 5;

/** Shortest wait: timers are no finer, and a busy loop helps nobody. */
const minWaitMs = 1_000;

/** Brings the chunks of a plan to their ends, a few at a time. */
export class Chunks {
  private readonly inFlight = new Set<number>();
  private failure: unknown;
  private changed = false;
  private lastEndMs = Date.now();

  constructor(
    private readonly plan: TablePlan,
    private readonly runId: string,
    private readonly count: number,
    /** So many of them must have ended before the others begin. */
    private readonly first: number,
    readonly state: TableSums,
  ) {}

  /** True: all have ended. False: `pause` said so, and nothing is in flight. Throws what a chunk failed with. */
  async send(pause: () => boolean): Promise<boolean> {
    while (this.failure === undefined) {
      if (!pause()) this.startReady();
      if (this.inFlight.size === 0 && (this.done() || pause())) break;
      this.changed = false;
      const waitMs = this.waitMs();
      this.show(waitMs);
      if (this.inFlight.size > 0 && waitMs === Infinity) await condition(() => this.changed);
      else await condition(() => this.changed, Math.max(minWaitMs, waitMs));
    }
    await condition(() => this.inFlight.size === 0);
    this.show(0);
    if (this.failure !== undefined) throw this.failure as Error;
    return this.done();
  }

  /** After a cancellation: what is in flight ends first. */
  settled(): Promise<void> {
    return condition(() => this.inFlight.size === 0);
  }

  private done(): boolean {
    return this.state.nextChunk >= this.count && this.state.held.length === 0;
  }

  private startReady(): void {
    const { state } = this;
    const now = Date.now();
    const allUntil = this.allHeldUntil();
    while (this.inFlight.size < this.plan.chunksAtOnce && allUntil <= now) {
      const ready = state.held.findIndex(({ untilMs }) => untilMs <= now);
      if (ready >= 0) this.start(state.held.splice(ready, 1)[0]!.chunk);
      else if (this.mayGoOn()) this.start(state.nextChunk++);
      else return;
    }
  }

  /**
   * A row that left under one key may have come under another: its record must be known as written before it is removed. Of an
   * audience, who leaves has left before anybody comes.
   */
  private mayGoOn(): boolean {
    const { nextChunk, chunksEnded, held } = this.state;
    if (held.filter(({ cause }) => cause === 'job').length >= jobsAtOnce) return false;
    return nextChunk < this.count && (nextChunk < this.first || chunksEnded >= this.first);
  }

  private allHeldUntil(): number {
    return Math.max(0, ...this.state.held.filter(holdsAll).map(({ untilMs }) => untilMs));
  }

  /** Until a held chunk may go; `Infinity` = only the end of one in flight will tell. */
  private waitMs(): number {
    if (this.inFlight.size >= this.plan.chunksAtOnce || this.state.held.length === 0) return Infinity;
    const first = Math.min(...this.state.held.map(({ untilMs }) => untilMs));
    return Math.max(first, this.allHeldUntil()) - Date.now();
  }

  private start(chunk: number): void {
    this.inFlight.add(chunk);
    const expire = Date.now() - this.lastEndMs > this.plan.retry.expireAfterMs;
    const step = chunkSteps(this.plan, `chunk ${chunk + 1} of ${this.count}`);
    step
      .sendChunk({ plan: this.plan, runId: this.runId, chunk, ...(expire ? { expire } : {}) })
      .then(
        (result) => this.take(chunk, result),
        (error: unknown) => void (this.failure ??= error),
      )
      .finally(() => {
        this.inFlight.delete(chunk);
        this.changed = true;
      });
  }

  private take(chunk: number, result: SendChunkResult): void {
    const { state } = this;
    if (result.kind === 'held') {
      state.held.push({ chunk, cause: result.cause, untilMs: result.untilMs });
      return;
    }
    this.lastEndMs = Date.now();
    state.chunksEnded += 1;
    state.ended += result.end.rows;
    for (const [outcome, rows] of Object.entries(result.end.outcomes)) {
      const name = outcome as keyof OutcomeCounts;
      state.outcomes[name] = (state.outcomes[name] ?? 0) + rows;
    }
  }

  private shown: string | undefined;

  /** Held for long: found by `SynclineWaiting`, and told on the run's page. */
  private show(waitMs: number): void {
    const long = Number.isFinite(waitMs) && waitMs > 5_000 && this.inFlight.size === 0;
    const cause = long ? this.state.held.find(holdsAll)?.cause : undefined;
    if (cause === this.shown) return;
    this.shown = cause;
    upsertSearchAttributes({ SynclineWaiting: cause === undefined ? [] : [cause] });
    setCurrentDetails(cause === undefined ? 'sending rows' : `held: **${cause}**, until about ${new Date(Date.now() + waitMs).toISOString()}`);
  }
}
