import type { Client } from '@temporalio/client';
import type { AttemptEnd } from '../../schemas/outcome';
import { attemptsIn } from './attempts';
import { decodeValue, isObject } from './decode';
import { failureText, text } from './shapes';

/** What a run that is still open waits for. */
export interface Waiting {
  /** `SynclineWaiting`: why it is held, when it is. */
  causes: string[];
  /** The run's own words; null when no worker could be asked. */
  details: string | null;
  activities: PendingActivity[];
}

export interface PendingActivity {
  name: string;
  state: 'queued' | 'running' | 'backing-off' | 'paused' | 'cancelling';
  /** Temporal's count of this activity, not HTTP's. */
  attempt: number;
  scheduledAt: number | null;
  nextAttemptAt: number | null;
  queue: string;
  lastFailure?: string;
  /** HTTP attempts so far, as its heartbeats tell. */
  attempts: AttemptEnd[];
}

/** The server asks a worker for the run's words; without a worker that would take for ever. */
const queryTimeoutMs = 3_000;

/** Asks the server, and the run itself, what an open run waits for. */
export async function readWaiting(client: Client, ids: { workflowId: string; runId: string }): Promise<Waiting> {
  const handle = client.workflow.getHandle(ids.workflowId, ids.runId);
  const [description, details] = await Promise.all([handle.describe(), currentDetails(client, ids)]);
  const raw = (await decodeValue(description.raw, client.options.loadedDataConverter)) as Record<string, unknown>;
  const pending = Array.isArray(raw['pendingActivities']) ? raw['pendingActivities'] : [];
  return { causes: waitingCauses(raw), details, activities: pending.filter(isObject).map(pendingActivity) };
}

/** Pure; takes the decoded entry of `describe`. */
export function pendingActivity(entry: Record<string, unknown>): PendingActivity {
  const failure = entry['lastFailure'];
  const nextAttemptAt = number(entry['nextAttemptScheduleTime']);
  return {
    name: text(isObject(entry['activityType']) ? entry['activityType']['name'] : '') || 'activity',
    state: stateOf(entry, nextAttemptAt),
    attempt: number(entry['attempt']) ?? 1,
    scheduledAt: number(entry['scheduledTime']),
    nextAttemptAt,
    queue: queueOf(entry),
    ...(isObject(failure) ? { lastFailure: failureText(failure) } : {}),
    attempts: attemptsIn([entry['heartbeatDetails'], failure]),
  };
}

/** `PendingActivityState` of the server's API. */
const states = { started: 2, cancelRequested: 3, paused: 4, pauseRequested: 5 } as const;

function stateOf(entry: Record<string, unknown>, nextAttemptAt: number | null): PendingActivity['state'] {
  switch (entry['state']) {
    case states.started:
      return 'running';
    case states.cancelRequested:
      return 'cancelling';
    case states.paused:
    case states.pauseRequested:
      return 'paused';
    default:
      return nextAttemptAt !== null && (number(entry['attempt']) ?? 1) > 1 ? 'backing-off' : 'queued';
  }
}

function queueOf(entry: Record<string, unknown>): string {
  const options = entry['activityOptions'];
  return isObject(options) && isObject(options['taskQueue']) ? text(options['taskQueue']['name']) : '';
}

function waitingCauses(raw: Record<string, unknown>): string[] {
  const info = raw['workflowExecutionInfo'];
  const attributes = isObject(info) && isObject(info['searchAttributes']) ? info['searchAttributes']['indexedFields'] : null;
  const value = isObject(attributes) ? attributes['SynclineWaiting'] : null;
  return (Array.isArray(value) ? value : [value]).filter((one): one is string => typeof one === 'string' && one !== '');
}

async function currentDetails(client: Client, ids: { workflowId: string; runId: string }): Promise<string | null> {
  const handle = client.workflow.getHandle(ids.workflowId, ids.runId);
  try {
    const metadata = await client.withDeadline(Date.now() + queryTimeoutMs, () => handle.query<unknown>('__temporal_workflow_metadata'));
    return (isObject(metadata) && text(metadata['currentDetails'])) || null;
  } catch {
    // No worker, or one too busy to answer: the rest of the trace does not need it.
    return null;
  }
}

function number(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
