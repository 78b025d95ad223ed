import { activityInfo, Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { Json } from '../schemas/json';
import type { AttemptEnd } from '../schemas/outcome';
import { lanes } from '../schemas/plan';
import type { DeliverFailureDetails, DeliverInput, DeliverResult } from '../schemas/run';
import { backoffMs } from './backoff';
import type { ActivityDeps } from './deps';
import type { Deliveries } from './delivery/deliveries';
import type { ItemEnd } from './delivery/item';
import { syncOf, withTodaysScopes } from './lookup';
import { currentRun } from './record-outcome';

/** Longest wait inside the worker; then the item leaves the queue unsent and waits in Temporal's. */
const maxWaitMs = 20_000;
/** The fast path is for records that can go at once. */
const fastWaitMs = 250;
const heartbeatMs = 2_000;
/** Held records come back over this long, lane after lane. */
const returnSpreadMs = 2_000;

export function createDeliver(deps: ActivityDeps, deliveries: Deliveries) {
  /** First try at once, inside the worker that runs the workflow: no task, no round trip. */
  async function deliverNow(given: DeliverInput): Promise<DeliverResult> {
    const input = asDeclared(given);
    const end = await deliveries.deliver({ ...input, run: currentRun(), deadlineMs: deps.now() + fastWaitMs }, Context.current().cancellationSignal);
    const failed = unlessEnded(end, input.attempts);
    if ('kind' in failed) return returning(input, failed);
    const { attempts, waitMs } = failure(input, input.attempts, failed.end);
    return heldByBreaker(input, attempts) ?? { kind: 'retry', waitMs, attempts };
  }

  /**
   * One attempt on the vendor's queue. A failure a retry can mend is thrown with the wait it needs, so Temporal's retry
   * policy runs it; not sent, or failed while the vendor is down, is returned as `held`: waiting uses no attempt.
   */
  async function deliver(given: DeliverInput): Promise<DeliverResult> {
    const input = asDeclared(given);
    const before = earlierAttempts(input, deps.now());
    const context = Context.current();
    const beat = setInterval(() => context.heartbeat(before), heartbeatMs);
    try {
      const end = await deliveries.deliver(
        { ...input, attempts: before, run: currentRun(), queued: true, deadlineMs: deps.now() + maxWaitMs },
        context.cancellationSignal,
      );
      const failed = unlessEnded(end, before);
      if ('kind' in failed) return returning(input, failed);
      const { attempts, waitMs } = failure(input, before, failed.end);
      const held = heldByBreaker(input, attempts);
      if (held) return held;
      // A heartbeat right before the throw reaches the next attempt: history keeps only the last failure.
      context.heartbeat(attempts);
      const details: DeliverFailureDetails = { attempts, ...(failed.end.vendorSaid === undefined ? {} : { vendorSaid: failed.end.vendorSaid as Json }) };
      throw ApplicationFailure.create({
        type: failed.end.attempt.code,
        message: failed.end.message,
        nextRetryDelay: Math.max(1, waitMs),
        details: [details],
        ...(failed.end.attempt.code === 'RATE_LIMITED' ? { category: ApplicationFailureCategory.BENIGN } : {}),
      });
    } finally {
      clearInterval(beat);
    }
  }

  function asDeclared(input: DeliverInput): DeliverInput {
    return { ...input, plan: withTodaysScopes(input.plan, syncOf(deps.syncs, input.plan.syncId)) };
  }

  /** Books the failed attempt with its wait, and logs it: the one line per retry. */
  function failure(input: DeliverInput, before: AttemptEnd[], end: ItemEnd & { kind: 'failed' }): { attempts: AttemptEnd[]; waitMs: number } {
    const waitMs = backoffMs(input.plan.retry, before.length + 1, { code: end.attempt.code, retryAfterMs: end.retryAfterMs }, deps.random());
    const attempt = { ...end.attempt, waitMs };
    deps.log.warn(
      {
        source: input.event.source,
        sync: input.plan.syncId,
        destination: `${input.plan.vendor}/${input.plan.account}`,
        record: input.record.keyHmac,
        workflowId: currentRun().workflowId,
        attempt: attempt.number,
        status: attempt.status,
        code: attempt.code,
        waitMs,
        batch: attempt.batch,
        cause: attempt.cause,
      },
      'attempt failed',
    );
    return { attempts: [...before, attempt], waitMs };
  }

  /** While the vendor is down for everybody, a record's attempts don't run out: it is held until the breaker lets it try. */
  function heldByBreaker({ plan, record }: DeliverInput, attempts: AttemptEnd[]): DeliverResult | null {
    const untilMs = deps.health.openUntil(plan.scopes);
    if (untilMs === 0) return null;
    // Since this record's failure before the last one: then the vendor came back for others in between, and not for it.
    const before = attempts
      .slice(0, -1)
      .filter((attempt) => attempt.code !== 'RATE_LIMITED')
      .at(-1);
    const othersLanded = before !== undefined && deps.health.lastLandedAt(plan.scopes) > Date.parse(before.at);
    return returning({ plan, record }, { kind: 'held', cause: 'breaker', untilMs, attempts, othersLanded });
  }

  /** The time of a held record's return: not all in one moment, live records before bulk, and last the few that may be at fault themselves. */
  function returning({ plan, record }: Pick<DeliverInput, 'plan' | 'record'>, result: DeliverResult): DeliverResult {
    if (result.kind !== 'held' || result.cause !== 'breaker') return result;
    const turn = deps.health.suspects(plan.scopes).includes(record.keyHmac) ? lanes.length : lanes.indexOf(plan.budget.lane);
    return { ...result, untilMs: result.untilMs + Math.round((turn + deps.random()) * returnSpreadMs) };
  }

  return { deliverNow, deliver };
}

/** The result, or the failed end that still needs a decision. */
function unlessEnded(end: ItemEnd, attempts: AttemptEnd[]): DeliverResult | { end: ItemEnd & { kind: 'failed' } } {
  if (end.kind === 'done') return { kind: 'done', outcome: end.outcome };
  if (end.kind === 'unsent') return { kind: 'held', cause: end.cause, untilMs: end.untilMs, attempts };
  return { end };
}

/**
 * Ends of the attempts before this one, from the heartbeat of the last. One that left no trace (its worker died) is counted
 * as `LOST` and ambiguous: it may have reached the vendor.
 */
function earlierAttempts(input: DeliverInput, nowMs: number): AttemptEnd[] {
  const { attempt, heartbeatDetails } = activityInfo() as { attempt: number; heartbeatDetails?: AttemptEnd[] };
  const known = heartbeatDetails ?? input.attempts;
  const expected = input.attempts.length + attempt - 1;
  const lost = Array.from({ length: Math.max(0, expected - known.length) }, (_, index): AttemptEnd => ({
    number: known.length + index + 1,
    at: new Date(nowMs).toISOString(),
    status: null,
    code: 'LOST',
    waitMs: 0,
    tookMs: 0,
    batch: 1,
    cause: 'the worker stopped before it could say how the attempt ended',
    ambiguous: true,
  }));
  return [...known, ...lost];
}
