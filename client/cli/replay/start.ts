import { randomUUID } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Ledger, RunLine } from '../../../ledger/port';
import { recordSyncType, startOptions } from '../../../platform/start-options';
import type { SourceEvent } from '../../../schemas/event';
import type { SyncPlan } from '../../../schemas/plan';
import { compilePlan, type Sync } from '../../../syncs/define-sync';
import type { TemporalAccess } from '../context';

/** Plan of a replay: the sync as it is now, behind everything that is live. */
export function replayPlan(sync: Sync): SyncPlan {
  const plan = compilePlan(sync);
  return { ...plan, budget: { ...plan.budget, lane: 'replay' } };
}

/** What starting gave: the run, or why there is none. */
export type Started = { runId: string } | { refusal: string };

/** Starts a new run under the same workflow id. The row is open again before the run can end. */
export async function startReplay(
  access: TemporalAccess,
  ledger: Ledger,
  what: { workflowId: string; line: RunLine | null; sync: Sync; event: SourceEvent; resend: boolean },
): Promise<Started> {
  const { workflowId, line, sync, event, resend } = what;
  const plan = replayPlan(sync);
  // A failed record may have landed all the same (its answer was lost): the fence then says so, and nothing is sent twice.
  const options = startOptions(plan, event, { workflowId, replay: true, resendEqual: resend });
  return reopened(ledger, workflowId, line, async () => {
    const handle = await access.client.workflow.start(recordSyncType, options);
    return handle.firstExecutionRunId;
  });
}

/** Opens the row, starts, and puts the row back as it was when nothing was started. */
export async function reopened(ledger: Ledger, workflowId: string, line: RunLine | null, start: () => Promise<string>): Promise<Started> {
  await ledger.inbox.reopen(workflowId);
  try {
    return { runId: await start() };
  } catch (error) {
    // Somebody else's run: it will close the row.
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { refusal: 'still running; `trace` shows what it waits for' };
    if (line) await restore(ledger, line);
    throw error;
  }
}

async function restore(ledger: Ledger, line: RunLine): Promise<void> {
  const { syncId, source, account, eventId, topic, workflowId, receivedAt, outcome, code, cause, attempts, fallback } = line;
  if (!outcome) return;
  await ledger.outcomes.record([
    {
      ...{ syncId, source, account, eventId, topic, workflowId, receivedAt, outcome, attempts, fallback },
      // The old run's id would be taken for late news and ignored.
      runId: `not-started-${randomUUID()}`,
      keyHmacs: [],
      ...(code === null ? {} : { code }),
      ...(cause === null ? {} : { cause }),
    },
  ]);
}
