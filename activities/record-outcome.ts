import { activityInfo } from '@temporalio/activity';
import type { OutcomeRow } from '../ledger/port';
import type { RecordOutcome } from '../schemas/outcome';
import type { EventFacts, RecordOutcomeInput } from '../schemas/run';
import type { SyncPlan } from '../schemas/plan';
import type { ActivityDeps } from './deps';

/** Books the end of a record that no vendor call booked: skipped, invalid, expired, failed. */
export function createRecordOutcome(deps: Pick<ActivityDeps, 'ledger' | 'log'>) {
  return async function recordOutcome({ plan, event, keyHmac, outcome }: RecordOutcomeInput): Promise<void> {
    await deps.ledger.outcomes.record([outcomeRow(plan, event, keyHmac, outcome, currentRun())]);
    deps.log.info({ sync: plan.syncId, record: keyHmac, outcome: outcome.outcome, code: outcome.code }, 'record ended');
  };
}

/** The run an activity works for. */
export function currentRun(): { workflowId: string; runId: string } {
  const execution = activityInfo().workflowExecution;
  return { workflowId: execution?.workflowId ?? '', runId: execution?.runId ?? '' };
}

/** The ledger's row of an outcome: masked words only, the vendor's full answer stays in history. */
export function outcomeRow(
  plan: SyncPlan,
  event: EventFacts,
  keyHmac: string | undefined,
  outcome: RecordOutcome,
  run: { workflowId: string; runId: string },
): OutcomeRow {
  return {
    syncId: plan.syncId,
    source: event.source,
    account: event.account,
    eventId: event.id,
    topic: event.topic,
    ...run,
    receivedAt: event.receivedAt,
    keyHmacs: keyHmac === undefined ? [] : [keyHmac],
    outcome: outcome.outcome,
    ...(outcome.code === undefined ? {} : { code: outcome.code }),
    ...(outcome.cause === undefined ? {} : { cause: outcome.cause }),
    attempts: outcome.attempts.length,
    ...(outcome.enrichment === undefined ? {} : { fallback: outcome.enrichment.fallback }),
  };
}
