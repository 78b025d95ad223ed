import { randomUUID } from 'node:crypto';
import type { Ledger, RunLine } from '../../../ledger/port';
import { decodeHistory, isObject, type PlainEvent } from '../../history/decode';
import type { TemporalAccess } from '../context';
import { reopened, type Started } from './start';

/** Runs the newest run again from just before it first queued the delivery: same mapped values, same plan. */
export async function resetToDelivery(access: TemporalAccess, ledger: Ledger, workflowId: string, line: RunLine | null): Promise<Started> {
  const { client, namespace } = access;
  const handle = client.workflow.getHandle(workflowId);
  const { runId } = await handle.describe();
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const events = await decodeHistory(history, client.options.loadedDataConverter);
  const taskId = resetPoint(events);
  if (taskId === null) {
    return { refusal: 'its history has no point between mapping and delivery; replay it without --from delivery' };
  }
  return reopened(ledger, workflowId, line, async () => {
    const reset = await client.workflowService.resetWorkflowExecution({
      namespace,
      workflowExecution: { workflowId, runId },
      reason: 'syncline replay --from delivery',
      requestId: randomUUID(),
      workflowTaskFinishEventId: taskId as never,
    });
    return reset.runId;
  });
}

/**
 * The workflow task whose decision was to queue the delivery, if the mapping was decided before it: a reset forgets all
 * that a task decided, and mapping and first try often are decisions of the same one.
 */
export function resetPoint(events: readonly PlainEvent[]): number | null {
  const mapped = events.find(isMapping);
  const delivery = events.find((event) => event.type === 'activityTaskScheduled' && activityName(event) === 'deliver');
  const task = Number(delivery?.attributes['workflowTaskCompletedEventId'] ?? 0);
  return mapped && task > mapped.id ? task : null;
}

function isMapping(event: PlainEvent): boolean {
  const { details } = event.attributes;
  const result = isObject(details) ? details['result'] : null;
  const first: unknown = Array.isArray(result) ? result[0] : null;
  return event.type === 'markerRecorded' && isObject(first) && first['kind'] === 'ready';
}

function activityName(event: PlainEvent): unknown {
  const type = event.attributes['activityType'];
  return isObject(type) ? type['name'] : undefined;
}
