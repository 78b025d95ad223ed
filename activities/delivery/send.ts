import type { Operation, RecordResult } from '../../connectors/connector';
import { NoPermitInTime, VendorError } from '../../connectors/errors';
import { maskText } from '../../connectors/mask';
import type { Permit } from '../../connectors/permit';
import type { Confirmation, OutcomeRow } from '../../ledger/port';
import type { AttemptEnd, RecordOutcome } from '../../schemas/outcome';
import type { BudgetScope } from '../../schemas/plan';
import { nothingSent, type ActivityDeps, type VendorLink } from '../deps';
import { type Claimed, claimRequest, numbered, rowOf, unsent } from './claimed';
import type { Item, ItemEnd } from './item';
import { bounded, connectorFault, isBatchRefusal, watchStatus } from './vendor-answer';

/** Time left for booking after the vendor's answer, inside a claim. */
const claimMarginMs = 5_000;
/** Another run's claim is asked for again this soon: it usually ends within one call. */
const claimPollMs = 250;
/** Longest wait of a half for its own permit: shorter than what the activity may take. */
const halfWaitMs = 15_000;

/** How a claimed record left the call. `landed`: null when only the vendor knows; then the claim is left to lapse. */
interface Settled {
  one: Claimed;
  landed: boolean | null;
  end: ItemEnd;
}

/** Sends batches of one operation on one account: claim, call, confirm, settle. */
export class Sender {
  constructor(
    private readonly deps: ActivityDeps,
    private readonly operation: Operation<unknown>,
    private readonly link: VendorLink,
    private readonly scopes: readonly BudgetScope[],
    private readonly putBack: (item: Item) => void,
  ) {}

  /** Every item is settled or put back when this resolves. */
  async send(items: Item[], permit: Permit): Promise<void> {
    let claimed: Claimed[];
    const claimMs = this.link.timeoutMs * (this.operation.requests ?? 1) + 2 * claimMarginMs;
    const claimedAt = this.deps.now();
    try {
      claimed = await this.claim(items, claimMs);
    } catch (error) {
      permit.giveBack();
      this.reportUnsent();
      this.deps.log.warn({ err: error }, 'the ledger does not answer; delivery waits');
      for (const item of items) item.settle({ kind: 'unsent', cause: 'ledger', untilMs: this.deps.now() + 2_000 });
      return;
    }
    if (claimed.length === 0) {
      this.reportUnsent();
      return permit.giveBack();
    }
    // A claim that took long to get may lapse during the call: then it protects nothing.
    if (this.deps.now() - claimedAt > claimMarginMs) {
      this.reportUnsent();
      permit.giveBack();
      await this.giveUp(claimed);
      for (const { item } of claimed) this.putBack(item);
      return;
    }
    // Whatever is sent later could outlive the claim.
    const sendMs = claimedAt + claimMs - this.link.timeoutMs - claimMarginMs - this.deps.now();
    await this.call(claimed, permit, AbortSignal.timeout(Math.max(0, sendMs)));
  }

  /** Nothing was sent: an admission as probe must be free again. */
  private reportUnsent(): void {
    this.deps.health.report(this.scopes, nothingSent);
  }

  private async claim(items: Item[], claimMs: number): Promise<Claimed[]> {
    const results = await this.deps.ledger.fence.claim(items.map(claimRequest), { claimMs });
    const claimed: Claimed[] = [];
    const ended: { item: Item; outcome: RecordOutcome }[] = [];
    const unused: Confirmation[] = [];
    const waiting: { item: Item; untilMs: number }[] = [];
    items.forEach((item, index) => {
      const result = results[index];
      if (!result) throw new Error('the fence answered for fewer records than it was asked about');
      switch (result.kind) {
        case 'wait':
          return waiting.push({ item, untilMs: result.untilMs });
        case 'superseded':
          return ended.push({
            item,
            outcome: this.outcome(item, { outcome: 'superseded', code: 'SUPERSEDED', cause: 'a newer version of all its fields has landed' }),
          });
        case 'landed':
          return ended.push({
            item,
            outcome: this.outcome(item, {
              outcome: 'accepted',
              code: 'LANDED_BEFORE',
              cause: 'this version had landed already; not sent again',
              ...(result.vendorId ? { vendorId: result.vendorId } : {}),
            }),
          });
        case 'claimed': {
          const input = result.dropFields.length > 0 ? this.operation.without(item.record.input, result.dropFields) : item.record.input;
          const fields = item.record.fields.filter((field) => !result.dropFields.includes(field));
          const one = { item, input, claim: result.claim, fields };
          if (input !== null) return claimed.push(one);
          unused.push(unsent(one));
          return ended.push({
            item,
            outcome: this.outcome(item, { outcome: 'superseded', code: 'SUPERSEDED', cause: 'newer versions of all its fields have landed' }),
          });
        }
      }
    });
    if (ended.length > 0) {
      await this.deps.ledger.fence.confirm(
        unused,
        ended.map(({ item, outcome }) => rowOf(item, outcome)),
      );
      for (const { item, outcome } of ended) item.settle({ kind: 'done', outcome });
    }
    for (const { item, untilMs } of waiting) {
      item.notBeforeMs = Math.min(untilMs, this.deps.now() + claimPollMs);
      this.putBack(item);
    }
    return claimed;
  }

  private async call(batch: Claimed[], permit: Permit, patience: AbortSignal): Promise<void> {
    const first = batch[0]?.item;
    if (!first) return;
    const startedAt = this.deps.now();
    const { lane } = first.plan.budget;
    const link = this.link.call({ scopes: this.scopes, lane, sync: first.plan.syncId, permit, patience });
    const watched = watchStatus(link);
    let results: Map<string, RecordResult>;
    try {
      const answer = await this.operation.send(
        watched.call,
        batch.map(({ input }) => input),
      );
      results = new Map(answer.map((result) => [result.key, result]));
    } catch (error) {
      link.release(); // before anything waits for another permit
      if (error instanceof NoPermitInTime && !error.ambiguous) return this.notInTime(batch, error.scopes);
      return this.afterError(batch, error, startedAt);
    }
    link.release();
    const end = (code: string, cause?: string) =>
      this.attempt(batch.length, startedAt, { code, status: watched.status(), requestId: watched.requestId(), cause });
    const settled = batch.map((one): Settled => {
      const { item } = one;
      const result = results.get(item.record.key);
      if (!result || result.status === 'retry') {
        const code = result?.code ?? 'MISSING_RESULT';
        const cause = result?.cause ?? 'the vendor answered the call but said nothing of this record';
        const landed = code === 'MISSING_RESULT' ? null : false;
        return { one, landed, end: { kind: 'failed', attempt: numbered(item, end(code, cause)), message: cause, vendorSaid: result?.vendorSaid } };
      }
      const { status, key: _key, vendorSaid, ...rest } = result;
      const said = vendorSaid === undefined ? rest : { ...rest, vendorSaid: bounded(vendorSaid) };
      const code = status === 'rejected' ? { code: result.code ?? 'REJECTED' } : {};
      const outcome = this.outcome(item, { outcome: status, ...said, ...code }, end(code.code ?? 'OK', result.cause));
      return { one, landed: status !== 'rejected', end: { kind: 'done', outcome } };
    });
    const answered = settled.filter(({ end: { kind } }) => kind === 'done').map(({ one }) => one.item.record.keyHmac);
    this.deps.health.report(this.scopes, { answered, failed: [], connection: false });
    await this.confirm(settled);
    for (const { one, end: itemEnd } of settled) one.item.settle(itemEnd);
  }

  /** A further request had no permit while the claims held: all of the call goes back, to be made again. */
  private async notInTime(batch: Claimed[], scopes: readonly BudgetScope[]): Promise<void> {
    this.reportUnsent();
    await this.giveUp(batch);
    for (const { item } of batch) {
      const untilMs = this.deps.now() + this.deps.gate.closedForMs(scopes, item.plan.budget.lane);
      item.settle({ kind: 'unsent', cause: 'budget', untilMs });
    }
  }

  private async afterError(batch: Claimed[], thrown: unknown, startedAt: number): Promise<void> {
    const error = thrown instanceof VendorError ? thrown : connectorFault(thrown);
    const keys = batch.map(({ item }) => item.record.keyHmac);
    const down = error.retryable && error.code !== 'RATE_LIMITED';
    this.deps.health.report(this.scopes, {
      answered: down || error.code === 'RATE_LIMITED' ? [] : keys,
      failed: down ? keys : [],
      connection: error.connection,
    });
    if (isBatchRefusal(error) && batch.length > 1) {
      return this.halve(batch);
    }
    const attempt = this.attempt(batch.length, startedAt, {
      code: error.vendorCode && !error.retryable ? error.vendorCode : error.code,
      status: error.status,
      requestId: error.requestId,
      cause: maskText(error.message),
      ambiguous: error.ambiguous,
    });
    // A 5xx may have taken effect as well: certain is only a refusal, or a request that never left.
    const unknown = error.ambiguous || (error.status ?? 0) >= 500;
    const settled = batch.map((one): Settled => {
      const { item } = one;
      if (!error.retryable) {
        const said = error.vendorSaid === undefined ? {} : { vendorSaid: bounded(error.vendorSaid) };
        const outcome = this.outcome(item, { outcome: 'rejected', code: attempt.code, cause: attempt.cause ?? '', ...said }, attempt);
        return { one, landed: false, end: { kind: 'done', outcome } };
      }
      const failed = { kind: 'failed', attempt: numbered(item, attempt), message: attempt.cause ?? error.code, vendorSaid: bounded(error.vendorSaid) } as const;
      return { one, landed: unknown ? null : false, end: error.retryAfterMs === undefined ? failed : { ...failed, retryAfterMs: error.retryAfterMs } };
    });
    await this.confirm(settled);
    for (const { one, end } of settled) one.item.settle(end);
  }

  /**
   * One bad record refused them all, and the vendor does not say which: halves until it is alone. Each half is a call of its
   * own, with a permit and claims of its own: those of the refused call may lapse while the halves wait.
   */
  private async halve(batch: Claimed[]): Promise<void> {
    await this.giveUp(batch);
    const items = batch.map(({ item }) => item);
    const middle = Math.ceil(items.length / 2);
    for (const half of [items.slice(0, middle), items.slice(middle)]) {
      const plan = half[0]?.plan;
      if (!plan) continue;
      try {
        const permit = await this.deps.gate.acquire({
          scopes: this.scopes,
          lane: plan.budget.lane,
          sync: plan.syncId,
          signal: AbortSignal.timeout(halfWaitMs),
        });
        await this.send(half, permit);
      } catch {
        // No permit meanwhile, or the gate is closing down with the worker: back to the queue, unsent.
        for (const item of half) item.settle({ kind: 'unsent', cause: 'budget', untilMs: this.deps.now() });
      }
    }
  }

  /** Once the vendor answered, only this is retried: the call never. The claim outlives a worker that dies here. */
  private async confirm(settled: readonly Settled[]): Promise<void> {
    const confirmations = settled.flatMap(({ one, landed, end }): Confirmation[] => {
      if (landed === null) return [];
      const vendorId = end.kind === 'done' ? end.outcome.vendorId : undefined;
      return [{ ...claimRequest(one.item), claim: one.claim, fields: one.fields, landed, ...(vendorId === undefined ? {} : { vendorId }) }];
    });
    const rows = settled.flatMap(({ one, end }) => (end.kind === 'done' ? [rowOf(one.item, end.outcome)] : []));
    await this.book(confirmations, rows);
  }

  /** Claims that were not used. */
  private giveUp(batch: readonly Claimed[]): Promise<void> {
    return this.book(batch.map(unsent), []);
  }

  private async book(confirmations: readonly Confirmation[], rows: readonly OutcomeRow[]): Promise<void> {
    if (confirmations.length === 0 && rows.length === 0) return;
    for (let tries = 0; ; tries++) {
      try {
        return await this.deps.ledger.fence.confirm(confirmations, rows);
      } catch (error) {
        this.deps.log.warn({ err: error, tries }, 'the ledger does not answer; only the booking is retried, the call is not');
        await new Promise((resolve) => setTimeout(resolve, Math.min(5_000, 100 * 2 ** Math.min(tries, 6))));
      }
    }
  }

  private attempt(
    batch: number,
    startedAt: number,
    end: { code: string; status: number | null; requestId?: string | undefined; cause?: string | undefined; ambiguous?: boolean },
  ): Omit<AttemptEnd, 'number'> {
    const now = this.deps.now();
    return {
      at: new Date(now).toISOString(),
      status: end.status,
      code: end.code,
      waitMs: 0,
      tookMs: now - startedAt,
      batch,
      ...(end.requestId === undefined ? {} : { requestId: end.requestId }),
      ...(end.cause === undefined ? {} : { cause: end.cause }),
      ...(end.ambiguous ? { ambiguous: true } : {}),
    };
  }

  private outcome(item: Item, parts: Omit<RecordOutcome, 'attempts' | 'resend'>, attempt?: Omit<AttemptEnd, 'number'>): RecordOutcome {
    return {
      ...parts,
      attempts: attempt ? [...item.attempts, numbered(item, attempt)] : item.attempts,
      resend: this.operation.resend,
      ...(item.enrichment ? { enrichment: item.enrichment } : {}),
    };
  }
}
