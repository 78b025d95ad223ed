import { type WorkflowExecutionStatusName, WorkflowNotFoundError } from '@temporalio/client';
import { fetchTrace } from '../../history/fetch-trace';
import type { SourceEvent } from '../../../schemas/event';
import type { Sync } from '../../../syncs/define-sync';
import type { CliContext, TemporalAccess } from '../context';
import type { Candidate } from './candidates';
import { refusalOf } from './eligibility';
import { type Preview, previewOf } from './preview';
import { lastInput } from './source-event';

/** A candidate with all it takes to start it, or the reason why it can't be. */
export type Examined = { refusal: string } | { sync: Sync; event: SourceEvent; preview?: Preview };

/** Looks at a candidate: may it be replayed, is its event still there, is its sync still declared. */
export async function examine(context: CliContext, candidate: Candidate, options: { resend: boolean; dryRun: boolean }): Promise<Examined> {
  const { workflowId, line } = candidate;
  const access = await context.temporal();
  const refusal = refusalOf(candidate, await newestStatus(access, workflowId), options);
  if (refusal !== null) return { refusal };
  const kept = await (await context.ledger()).queries.event(workflowId);
  const last = kept && line ? null : await lastInput(access, workflowId);
  const event = kept ?? last?.event;
  if (!event) return { refusal: 'its event is gone: dropped from the inbox, and past retention in Temporal' };
  const syncId = line?.syncId ?? last?.plan?.syncId;
  const sync = context.syncs().find(({ id }) => id === syncId);
  if (!sync) return { refusal: `its sync "${syncId ?? 'unknown'}" is no longer declared in syncs/index.ts` };
  if (!options.dryRun) return { sync, event };
  const { runs } = await fetchTrace(access.client, workflowId);
  return { sync, event, preview: previewOf(sync, event, runs, (key) => context.keyHmacs(key)[0] ?? '') };
}

async function newestStatus({ client }: TemporalAccess, workflowId: string): Promise<WorkflowExecutionStatusName | null> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
