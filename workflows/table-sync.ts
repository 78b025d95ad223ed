import {
  ActivityFailure,
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { Decision, PlanCounts, RunEndState, RunEquation, TableRunInput, TableRunResult, TableRunView, TableSums, TrippedGuard } from '../schemas/table';
import { decideRunUpdate, runAgainSignal, tableRunQuery } from './messages';
import { warehouseSteps } from './table/activities';
import { Chunks } from './table/chunks';
import { trippedGuards, unapproved } from './table/guards';
import { worstOutcome } from './table/worst-outcome';

/**
 * One run of a table sync: the diff inside the warehouse, guards, chunks by reference, the equation. History holds counts,
 * exceptions and a packed list of outcomes, never rows.
 *
 * Ends Completed when its equation holds, with the worst outcome in `SynclineOutcome`; else Failed.
 */
export async function tableSync(input: TableRunInput): Promise<TableRunResult> {
  const run = new TableRun(input);
  return run.toEnd();
}

class TableRun {
  private readonly runId: string;
  private readonly startedAtMs: number;
  private state: TableRunView['state'] = 'planning';
  private counts: PlanCounts | null = null;
  private readonly sums: TableSums;
  private approvals: TableRunView['approvals'];
  private waitingFor: TrippedGuard[] = [];
  private expiresAtMs: number | null = null;
  private decision: Decision | null = null;
  private again: TableRunInput | null = null;
  private equation: RunEquation | null = null;
  private chunks: Chunks | undefined;

  constructor(private readonly input: TableRunInput) {
    const { carried } = input;
    const { startTime } = workflowInfo();
    this.runId = carried?.runId ?? `${startTime.toISOString().replaceAll(/[-:]|\.\d+/g, '')}-${uuid4().slice(0, 8)}`;
    this.startedAtMs = carried?.startedAtMs ?? startTime.getTime();
    this.counts = carried?.counts ?? null;
    this.approvals = carried?.approvals ?? [];
    this.again = carried?.again ?? null;
    this.sums = carried?.sums ?? { nextChunk: 0, held: [], outcomes: {}, ended: 0, chunksEnded: 0 };
    setHandler(tableRunQuery, () => this.view());
    setHandler(runAgainSignal, (next) => void (this.again = next));
    setHandler(decideRunUpdate, (decision) => this.decide(decision), { validator: (decision: { runId: string }) => this.mayDecide(decision) });
  }

  async toEnd(): Promise<TableRunResult> {
    try {
      const verdict = this.input.carried ? 'go' : await this.plan();
      if (verdict === 'go') await this.send();
      return await this.close(verdict === 'go' ? 'done' : verdict);
    } catch (error) {
      if (isCancellation(error)) return this.closeEarly('cancelled', error);
      if (error instanceof ActivityFailure) return this.closeEarly('failed', reasonOf(error));
      throw error;
    }
  }

  /** Compares, and waits for approval where a guard wants it; after the wait it compares anew. */
  private async plan(): Promise<'go' | 'refused' | 'expired'> {
    const { plan, full = false } = this.input;
    for (;;) {
      this.state = 'planning';
      this.counts = await this.compare();
      const missing = unapproved(trippedGuards(plan, this.counts, full), this.approvals);
      if (missing.length === 0) return 'go';
      const verdict = await this.askFor(missing);
      if (verdict !== 'go') return verdict;
    }
  }

  private compare(): Promise<PlanCounts> {
    const { plan, full = false, retryRejected = false } = this.input;
    setCurrentDetails(`comparing ${plan.source.table ?? 'the query'} with what landed`);
    const { workflowId } = workflowInfo();
    return warehouseSteps(plan, `compare with ${plan.warehouse.name}`).planRun({ plan, runId: this.runId, workflowId, full, retryRejected });
  }

  private async askFor(guards: TrippedGuard[]): Promise<'go' | 'refused' | 'expired'> {
    const { plan } = this.input;
    this.waitingFor = guards;
    this.decision = null;
    this.expiresAtMs = Date.now() + plan.guards.expireAfterMs;
    this.state = 'waiting';
    const why = guards.map((one) => `${one.guard}: ${one.why}`).join('; ');
    upsertSearchAttributes({ SynclineWaiting: ['approval'] });
    setCurrentDetails(`waits for **approval** until ${new Date(this.expiresAtMs).toISOString()}: ${why}\n\n\`npx syncline approve ${this.runId} --reason …\``);
    await this.mark('waiting', why);
    const decided = await condition(() => this.decision !== null, plan.guards.expireAfterMs);
    upsertSearchAttributes({ SynclineWaiting: [] });
    this.waitingFor = [];
    this.expiresAtMs = null;
    if (!decided) return 'expired';
    const decision = this.decision as Decision | null;
    this.approvals = [...this.approvals, { ...decision!, at: new Date().toISOString(), guards }];
    await this.mark('planned', null);
    return decision!.decision === 'approve' ? 'go' : 'refused';
  }

  private mark(state: string, waitingFor: string | null): Promise<void> {
    const { plan } = this.input;
    return warehouseSteps(plan, `mark as ${state}`).markRun({ plan, runId: this.runId, state, waitingFor });
  }

  private async send(): Promise<void> {
    const { plan } = this.input;
    this.state = 'running';
    if (this.counts!.planned > 0 && !this.input.carried) await this.mark('running', null);
    const { added, changed, resent, chunks, firstChunks = Math.ceil((added + changed + resent) / plan.chunkRows) } = this.counts!;
    this.chunks = new Chunks(plan, this.runId, chunks, firstChunks, this.sums);
    const all = await this.chunks.send(() => workflowInfo().continueAsNewSuggested);
    if (!all) await this.continueAsNew();
  }

  private async continueAsNew(): Promise<never> {
    await condition(allHandlersFinished);
    const { runId, counts, sums, startedAtMs, again, approvals } = this;
    return continueAsNew<typeof tableSync>({ ...this.input, carried: { runId, counts: counts!, sums, startedAtMs, again, approvals } });
  }

  private async close(state: RunEndState): Promise<TableRunResult> {
    const { plan } = this.input;
    this.state = 'closing';
    this.equation = await warehouseSteps(plan, 'count what became of the rows').closeRun({
      plan,
      runId: this.runId,
      state,
      outcomes: this.sums.outcomes,
      approvals: this.approvals,
    });
    this.state = state;
    const worst = state === 'cancelled' ? 'cancelled' : worstOutcome(this.equation.outcomes);
    upsertSearchAttributes({ SynclineOutcome: worst === null ? [] : [worst], SynclineWaiting: [] });
    const sums = Object.entries(this.equation.outcomes).map(([outcome, rows]) => `${rows} ${outcome}`);
    setCurrentDetails(`**${state}**: ${this.equation.planned} planned = ${sums.join(' + ') || '0'}${this.equation.holds ? '' : ' **does not add up**'}`);
    await condition(allHandlersFinished);
    if (!this.equation.holds) {
      throw ApplicationFailure.create({
        type: 'EQUATION_BROKEN',
        message: `run ${this.runId}: ${this.equation.planned} planned, but the outcomes do not add up. ${this.equation.differs ?? ''}`,
        nonRetryable: true,
        details: [this.equation],
      });
    }
    if (this.again && state !== 'cancelled' && state !== 'failed') return continueAsNew<typeof tableSync>(this.again);
    return { runId: this.runId, state, counts: this.counts ?? nothing, equation: this.equation, approvals: this.approvals };
  }

  /** What is in flight ends, everything open is counted as not attempted; then the run ends as it was told. */
  private async closeEarly(state: 'cancelled' | 'failed', error: unknown): Promise<never> {
    await CancellationScope.nonCancellable(async () => {
      await this.chunks?.settled();
      await this.close(state);
    });
    throw error;
  }

  private mayDecide({ runId }: { runId: string }): void {
    if (this.state !== 'waiting' || this.decision) throw new Error(`this run does not wait for approval; it is ${this.decision ? 'decided' : this.state}`);
    if (runId !== this.runId) throw new Error(`the run that waits is ${this.runId}, not ${runId}`);
  }

  private decide({ decision, reason, by }: Decision): TableRunView {
    this.decision = { decision, reason, by };
    return this.view();
  }

  private view(): TableRunView {
    const { runId, state, startedAtMs, counts, sums, waitingFor, expiresAtMs, approvals, equation } = this;
    const { outcomes, ended, chunksEnded, held } = sums;
    return {
      runId,
      syncId: this.input.plan.syncId,
      lane: this.input.plan.budget.lane,
      state,
      startedAtMs,
      counts,
      outcomes,
      ended,
      chunksEnded,
      held,
      waitingFor,
      expiresAtMs,
      approvals,
      again: this.again !== null,
      equation,
    };
  }
}

const nothing: PlanCounts = {
  read: 0,
  known: 0,
  added: 0,
  changed: 0,
  removed: 0,
  unchanged: 0,
  resent: 0,
  resting: 0,
  badKeys: { null: 0, duplicate: 0, long: 0 },
  planned: 0,
  chunks: 0,
};

/** The activity's own words and code: what a list of failed runs should show. */
function reasonOf(error: ActivityFailure): Error {
  const { cause } = error;
  if (!(cause instanceof ApplicationFailure)) return error;
  return ApplicationFailure.create({ type: cause.type ?? 'ACTIVITY_FAILED', message: cause.message, nonRetryable: true });
}
