import type { CommonWorkflowOptions } from '@temporalio/common';
import type { SourceEvent } from '../schemas/event';
import type { SyncPlan } from '../schemas/plan';
import type { RecordSyncInput } from '../schemas/run';
import { eventWorkflowId, mainTaskQueue } from '../workflows/ids';
import { sha256Hex } from './hash';
import { searchAttributes } from './search-attributes';

/** The workflow that takes one event to its destination. */
export const recordSyncType = 'recordSync';

/** What `client.workflow.start(recordSyncType, …)` takes. */
export interface RecordSyncStart extends CommonWorkflowOptions {
  workflowId: string;
  taskQueue: string;
  args: [RecordSyncInput];
}

/** Which start this is; decides the id policies. */
export interface StartChoice {
  /** From the inbox row; @default the event's own id */
  workflowId?: string;
  /** A redelivery of an event whose run failed: a new run if, and only if, the last one failed. */
  rearmed?: boolean;
  /** A replay: a new run whatever the last one's end; an error while one is running. */
  replay?: boolean;
  /** Write the record though this very version landed before. */
  resendEqual?: boolean;
}

/**
 * Options of a run for one event: the same id and policies whoever starts it, or an event would run twice.
 *
 * `WorkflowExecutionAlreadyStartedError` from a first or re-armed start means that the run exists: that is success.
 */
export function startOptions(plan: SyncPlan, event: SourceEvent, choice: StartChoice = {}): RecordSyncStart {
  return {
    workflowId: choice.workflowId ?? recordSyncId(plan.syncId, event),
    taskQueue: mainTaskQueue,
    args: [{ plan, event, ...(choice.resendEqual ? { resendEqual: true } : {}) }],
    ...policies(choice),
    typedSearchAttributes: [
      { key: searchAttributes.sync, value: plan.syncId },
      { key: searchAttributes.source, value: `${event.source}/${event.account}` },
      { key: searchAttributes.account, value: `${plan.vendor}/${plan.account}` },
    ],
    staticSummary: `${event.source} ${shortened(event.topic)} → ${plan.vendor} ${plan.operation}`,
    staticDetails: details(plan, event),
  };
}

/** The workflow id of an event of a sync. */
export function recordSyncId(syncId: string, event: { account: string; id: string }): string {
  return eventWorkflowId({ syncId, sourceAccount: event.account, eventId: event.id }, sha256Hex);
}

function policies(choice: StartChoice): Pick<CommonWorkflowOptions, 'workflowIdReusePolicy' | 'workflowIdConflictPolicy'> {
  if (choice.replay) return { workflowIdReusePolicy: 'ALLOW_DUPLICATE', workflowIdConflictPolicy: 'FAIL' };
  const workflowIdReusePolicy = choice.rearmed ? 'ALLOW_DUPLICATE_FAILED_ONLY' : 'REJECT_DUPLICATE';
  // A re-armed start must be told when the old run is still there: it is not the new run that was asked for.
  return { workflowIdReusePolicy, workflowIdConflictPolicy: choice.rearmed ? 'FAIL' : 'USE_EXISTING' };
}

/** Shown above the history in the Web UI. Passes the codec, but is meant to be read by anyone: no personal data. */
function details(plan: SyncPlan, event: SourceEvent): string {
  const { retry } = plan;
  return [
    `**${plan.syncId}**, owned by ${plan.owner}`,
    '',
    `- event ${code(event.id)} (${code(event.topic)}) from ${event.source}/${event.account}, received ${event.receivedAt}`,
    `- contract ${code(plan.contract)}`,
    `- writes ${code(plan.operation)} at ${plan.vendor}/${plan.account}; a repeat is ${code(plan.resend)}`,
    `- up to ${retry.maxAttempts} attempts, waits from ${retry.initialIntervalMs} ms to ${retry.maxIntervalMs} ms with jitter; ` +
      `held for at most ${Math.round(retry.expireAfterMs / 60_000)} min`,
  ].join('\n');
}

/** Temporal takes summaries up to 400 bytes; a topic comes from outside. */
const maxTopicLength = 80;

function shortened(text: string): string {
  return text.length <= maxTopicLength ? text : `${text.slice(0, maxTopicLength - 1)}…`;
}

function code(text: string): string {
  return `\`${text.replaceAll('`', "'").slice(0, 300)}\``;
}
