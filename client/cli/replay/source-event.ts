import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { SourceEvent } from '../../../schemas/event';
import type { SyncPlan } from '../../../schemas/plan';
import { decodeHistory } from '../../history/decode';
import { inputOf } from '../../history/shapes';

/** What the newest run of a workflow id was started with; null past retention. Reads one event of its history. */
export async function lastInput(
  access: { client: Client; namespace: string },
  workflowId: string,
): Promise<{ plan: SyncPlan | null; event: SourceEvent | null } | null> {
  const { client, namespace } = access;
  try {
    const { history } = await client.workflowService.getWorkflowExecutionHistory({ namespace, execution: { workflowId }, maximumPageSize: 1 });
    const [started] = await decodeHistory({ events: (history?.events ?? []).slice(0, 1) }, client.options.loadedDataConverter);
    return started ? inputOf(started.attributes['input']) : null;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || (error as { code?: unknown }).code === notFound) return null;
    throw error;
  }
}

/** gRPC NOT_FOUND. */
export const notFound = 5;
