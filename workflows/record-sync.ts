import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  continueAsNew,
  isCancellation,
  setCurrentDetails,
  sleep,
  TimeoutFailure,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { AttemptEnd, RecordOutcome } from '../schemas/outcome';
import { isFailure } from './outcomes';
import type { DeliverFailureDetails, DeliverResult, EnrichmentResult, EventFacts, HeldCause, PreparedRecord, RecordSyncInput } from '../schemas/run';
import { lightSteps, oneTry, queuedDelivery } from './activity-options';

/** A record that fails in this many breaker cycles, while the vendor comes back for others, ends `failed`. */
const maxCycles = 3;

/** Shortest durable wait: the server's timers are no finer (1 s), and a busy loop helps nobody. */
const minWaitMs = 1_000;

/** Wait after a fault of our own (a worker died, or lacks this sync): enough for another worker to be there. */
const ourFaultWaitMs = 5_000;

/** HTTP timeout of the first try, and its booking. */
const firstTryMs = 30_000;

/**
 * One event of one sync, from the inbox to the vendor. Its history alone answers what came in (input), what it was mapped
 * to (`prepare`), every HTTP attempt and what the vendor said (results and failures of `deliver`).
 *
 * Ends Completed for `accepted`, `verified`, `skipped`, `superseded`; Failed, with the cause as type, for outcomes
 * somebody must act on.
 */
export async function recordSync(input: RecordSyncInput): Promise<RecordOutcome> {
  const run = new RecordRun(input);
  try {
    return run.close(await run.toOutcome());
  } catch (error) {
    if (isCancellation(error)) await run.recordCancelled();
    throw error;
  }
}

class RecordRun {
  private readonly facts: EventFacts;
  private readonly startedAtMs: number;
  private attempts: AttemptEnd[];
  /** Breaker cycles in which this record failed although the vendor took others. */
  private cycles: number;
  /** Attempts before this index belong to earlier breaker cycles: each cycle has the full number. */
  private cycleStart: number;
  private enrichment: EnrichmentResult | null = null;
  private keyHmac: string | undefined;

  constructor(private readonly input: RecordSyncInput) {
    const { body: _body, ...facts } = input.event;
    this.facts = facts;
    this.attempts = input.carried?.attempts ?? [];
    this.cycles = input.carried?.cycles ?? 0;
    this.cycleStart = input.carried?.cycleStart ?? 0;
    this.startedAtMs = input.carried?.startedAtMs ?? Date.now();
  }

  async toOutcome(): Promise<RecordOutcome> {
    const { plan, event } = this.input;
    if (plan.enrich) this.enrichment = await this.enrich(plan.enrich.name, plan.enrich.timeoutMs);
    const prepared = await lightSteps(`map ${plan.contract}`).prepare({ plan, event, enrichment: this.enrichment });
    if (prepared.kind !== 'ready') {
      const { kind, ...why } = prepared;
      const outcome = 'reason' in why ? { code: 'SKIPPED_BY_MAPPING', cause: why.reason } : why;
      return this.record(this.outcome({ outcome: kind, ...outcome }));
    }
    this.keyHmac = prepared.record.keyHmac;
    return this.deliver(prepared.record);
  }

  /** Never fails the record: the sync's first-party fallback does when enrichment can't. */
  private async enrich(name: string, timeoutMs: number): Promise<EnrichmentResult> {
    const { plan, event } = this.input;
    try {
      return await oneTry(`enrich ${name}`, 2 * timeoutMs + 1_000).enrich({ plan, event });
    } catch (error) {
      if (isCancellation(error)) throw error;
      return { fallback: true, cause: `enrichment ${name} gave no answer`, tookMs: timeoutMs };
    }
  }

  /** Sends until the record has an outcome: waits durably while held, spends attempts only on real calls. */
  private async deliver(record: PreparedRecord): Promise<RecordOutcome> {
    const { plan } = this.input;
    let result: DeliverResult =
      plan.budget.lane === 'live' && !this.input.carried
        ? await this.deliverNow(record)
        : { kind: 'held', cause: 'budget', untilMs: 0, attempts: this.attempts };
    if (result.kind !== 'done') this.showUnderWay();
    while (result.kind !== 'done') {
      this.attempts = result.attempts;
      if (result.kind === 'held' && result.cause === 'breaker') {
        // The next cycle has its full attempts: an outage may take longer than all of them.
        this.cycleStart = result.attempts.length;
        if (result.othersLanded && ++this.cycles >= maxCycles) return this.record(this.attemptsUsedUp());
      }
      if (result.kind === 'retry') await sleep(Math.max(result.waitMs, minWaitMs), { summary: 'wait before the next attempt' });
      else await this.hold(result.cause, result.untilMs);
      if (this.attemptsThisCycle() >= plan.retry.maxAttempts) return this.record(this.attemptsUsedUp());
      if (Date.now() - this.startedAtMs > plan.retry.expireAfterMs) return this.record(this.expiredOutcome());
      if (workflowInfo().continueAsNewSuggested) await this.continueAsNew();
      const next = await this.deliverQueued(record);
      if (next.kind === 'failed') return this.record(next.outcome);
      result = next;
    }
    return result.outcome;
  }

  /** The fast path: first try at once, in the worker that runs this workflow, when a permit is there. */
  private async deliverNow(record: PreparedRecord): Promise<DeliverResult> {
    try {
      return await oneTry(this.callSummary(), firstTryMs).deliverNow(this.deliverInput(record));
    } catch (error) {
      if (isCancellation(error)) throw error;
      // Ours, not the vendor's (the ledger was away, the worker stopped): the queued path waits for it to come back.
      const late = error instanceof ActivityFailure && error.cause instanceof TimeoutFailure;
      return { kind: 'held', cause: 'shutdown', untilMs: 0, attempts: late ? this.withLost(this.attempts) : this.attempts };
    }
  }

  /** The rest: on the vendor's own queue, where order and priority hold and a closed gate costs nothing. */
  private async deliverQueued(record: PreparedRecord): Promise<DeliverResult | { kind: 'failed'; outcome: RecordOutcome }> {
    const { plan } = this.input;
    const remainingMs = Math.max(minWaitMs, plan.retry.expireAfterMs - (Date.now() - this.startedAtMs));
    const left = { attempts: plan.retry.maxAttempts - this.attemptsThisCycle(), ms: remainingMs };
    try {
      return await queuedDelivery(plan, left, this.callSummary()).deliver(this.deliverInput(record));
    } catch (error) {
      if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
      if (error.cause instanceof TimeoutFailure) {
        if (error.cause.timeoutType === 'SCHEDULE_TO_START') return { kind: 'failed', outcome: this.expiredOutcome() };
        // A worker died, or could not book what the vendor said: ours, so it uses up nothing. The fence knows what landed.
        const known = (error.cause.lastHeartbeatDetails as AttemptEnd[] | undefined) ?? this.attempts;
        return this.ours(this.withLost(known));
      }
      if (error.cause instanceof ApplicationFailure && error.cause.type === 'UNKNOWN_SYNC') return this.ours(this.attempts);
      if (error.cause instanceof ApplicationFailure) {
        const details = error.cause.details?.[0] as DeliverFailureDetails | undefined;
        this.attempts = details?.attempts ?? this.attempts;
        return { kind: 'failed', outcome: this.attemptsUsedUp(error.cause, details) };
      }
      return { kind: 'failed', outcome: this.attemptsUsedUp() };
    }
  }

  /** Held for a fault of our own: tried again elsewhere, with all attempts left. */
  private ours(attempts: AttemptEnd[]): DeliverResult {
    this.cycleStart = attempts.length;
    return { kind: 'held', cause: 'shutdown', untilMs: Date.now() + ourFaultWaitMs, attempts };
  }

  /** An attempt that nobody could tell the end of: it may have reached the vendor. */
  private withLost(attempts: AttemptEnd[]): AttemptEnd[] {
    const cause = 'the worker stopped, or could not book the answer';
    const lost = {
      number: attempts.length + 1,
      at: new Date().toISOString(),
      status: null,
      code: 'LOST',
      waitMs: 0,
      tookMs: 0,
      batch: 1,
      cause,
      ambiguous: true,
    };
    return [...attempts, lost];
  }

  private async hold(cause: HeldCause, untilMs: number): Promise<void> {
    const waitMs = untilMs - Date.now();
    // For a short wait for budget the task queue is the better place: order is kept there, and no event is spent.
    if (waitMs <= (cause === 'budget' ? 30_000 : 0)) return;
    upsertSearchAttributes({ SynclineWaiting: [cause] });
    setCurrentDetails(`held: **${heldWords[cause]}**, until about ${new Date(untilMs).toISOString()}`);
    await sleep(Math.max(waitMs, minWaitMs), { summary: `held: ${heldWords[cause]}` });
    upsertSearchAttributes({ SynclineWaiting: [] });
  }

  private async continueAsNew(): Promise<never> {
    const { attempts, cycles, cycleStart, startedAtMs } = this;
    return continueAsNew<typeof recordSync>({ ...this.input, carried: { attempts, cycles, cycleStart, startedAtMs } });
  }

  private attemptsThisCycle(): number {
    return this.attempts.length - this.cycleStart;
  }

  private expiredOutcome(): RecordOutcome {
    return this.outcome({ outcome: 'expired', code: 'EXPIRED', cause: 'held longer than retry.expireAfter allows' });
  }

  private attemptsUsedUp(failure?: ApplicationFailure, details?: DeliverFailureDetails): RecordOutcome {
    const last = this.attempts.at(-1);
    if (last) this.attempts = [...this.attempts.slice(0, -1), { ...last, waitMs: 0 }]; // nothing comes after it
    return this.outcome({
      outcome: 'failed',
      code: failure?.type ?? last?.code ?? 'ATTEMPTS_USED_UP',
      cause: `${this.attempts.length} attempts used up: ${failure?.message ?? last?.cause ?? 'no answer was recorded'}`,
      ...(details?.vendorSaid === undefined ? {} : { vendorSaid: details.vendorSaid }),
    });
  }

  private outcome(parts: Omit<RecordOutcome, 'attempts' | 'resend' | 'enrichment'>): RecordOutcome {
    return { ...parts, attempts: this.attempts, resend: this.input.plan.resend, ...this.enrichmentPart() };
  }

  private enrichmentPart(): Pick<RecordOutcome, 'enrichment'> {
    if (!this.enrichment) return {};
    const { fallback, cause } = this.enrichment;
    return { enrichment: { fallback, ...(cause === undefined ? {} : { cause }) } };
  }

  /** Books an outcome that no vendor call booked. Retried for as long as the ledger is away: an end is never forgotten. */
  private async record(outcome: RecordOutcome): Promise<RecordOutcome> {
    const { plan } = this.input;
    await lightSteps(`record ${outcome.outcome}`).recordOutcome({
      plan,
      event: this.facts,
      outcome,
      ...(this.keyHmac === undefined ? {} : { keyHmac: this.keyHmac }),
    });
    return outcome;
  }

  async recordCancelled(): Promise<void> {
    const outcome = this.outcome({ outcome: 'failed', code: 'CANCELLED', cause: 'cancelled by an operator' });
    await CancellationScope.nonCancellable(async () => {
      await this.record(outcome);
      this.show(outcome);
    });
  }

  /** Shows the end in the Web UI's list and page; throws for ends somebody must act on. */
  close(outcome: RecordOutcome): RecordOutcome {
    this.show(outcome);
    if (!isFailure(outcome.outcome)) return outcome;
    throw ApplicationFailure.create({
      message: `${outcome.outcome}: ${outcome.cause ?? outcome.code ?? 'no cause given'}`,
      type: outcome.code ?? outcome.outcome.toUpperCase(),
      nonRetryable: true,
      details: [outcome],
    });
  }

  /** A record that takes longer can be found by its key while it is under way. Most never get here, and save the write. */
  private showUnderWay(): void {
    if (this.keyHmac !== undefined) upsertSearchAttributes({ SynclineKeys: [this.keyHmac] });
    setCurrentDetails(`on its way to ${this.callSummary()}: in the account’s queue, or between two attempts`);
  }

  private show(outcome: RecordOutcome): void {
    upsertSearchAttributes({
      SynclineOutcome: [outcome.outcome],
      ...(this.keyHmac === undefined ? {} : { SynclineKeys: [this.keyHmac] }),
    });
    const lines = [`**${outcome.outcome}**${outcome.cause ? `: ${outcome.cause}` : ''}`];
    if (outcome.enrichment?.fallback) lines.push(`enrichment fell back to first-party data: ${outcome.enrichment.cause ?? 'no answer'}`);
    setCurrentDetails(lines.join('\n\n'));
  }

  private deliverInput(record: PreparedRecord) {
    const { plan, resendEqual } = this.input;
    return {
      plan,
      event: this.facts,
      record,
      attempts: this.attempts,
      ...this.enrichmentPart(),
      ...(resendEqual === undefined ? {} : { resendEqual }),
    };
  }

  private callSummary(): string {
    const { plan } = this.input;
    return `${plan.vendor}/${plan.account} ${plan.operation}`;
  }
}

const heldWords: Record<HeldCause, string> = {
  budget: 'waiting for the vendor account’s budget',
  breaker: 'the vendor is failing; waiting for it to recover',
  paused: 'paused by an operator',
  'off-peak': 'its lane sends in the account’s off-peak hours only',
  claim: 'another run is writing this record',
  ledger: 'the ledger does not answer; waiting for it',
  shutdown: 'the worker stopped; going on elsewhere',
};
