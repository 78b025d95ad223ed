import { type Client, WorkflowExecutionAlreadyStartedError, type WorkflowHandle } from '@temporalio/client';
import type { ExtractedEvent } from '../connectors/webhook';
import { recordSyncType, startOptions } from '../platform/start-options';
import type { SourceEvent } from '../schemas/event';
import { compilePlan, type Sync } from '../syncs/define-sync';

/** Starts runs straight at Temporal, without the inbox. */
export interface Starter {
  /**
   * Starts the run of one event, under the id and policies the inbox's starter uses: an event is one run, whichever way it
   * came. Rejects when Temporal can't be reached; then the event is with the caller still.
   */
  startSync(sync: Sync, event: ExtractedEvent): Promise<Started>;
}

export interface Started {
  workflowId: string;
  /** The run was there before, running or closed: nothing was started. */
  duplicate: boolean;
  handle: WorkflowHandle;
}

/**
 * For programs that keep their events themselves (a queue with redelivery, say) and can wait for Temporal. A webhook
 * handler should use `createReceiver`: it takes events while Temporal is away, too.
 *
 * @param options.clock Milliseconds since the epoch, with fractions. @default the process's clock
 */
export function createStarter(options: { client: Pick<Client, 'workflow'>; clock?: () => number }): Starter {
  const { workflow } = options.client;
  const clock = options.clock ?? (() => performance.timeOrigin + performance.now());

  return {
    startSync: async (sync, event) => {
      const { workflowId, ...start } = startOptions(compilePlan(sync), received(sync, event, clock()));
      try {
        // FAIL instead of USE_EXISTING: the outcome is the same, but only an error tells that the run was there before.
        const handle = await workflow.start(recordSyncType, { ...start, workflowId, workflowIdConflictPolicy: 'FAIL' });
        return { workflowId, duplicate: false, handle };
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        return { workflowId, duplicate: true, handle: workflow.getHandle(workflowId) };
      }
    },
  };
}

function received(sync: Sync, event: ExtractedEvent, nowMs: number): SourceEvent {
  const { source, name } = sync.on.account;
  return {
    id: event.id,
    source: source.vendor,
    account: name,
    topic: event.topic,
    receivedAt: new Date(nowMs).toISOString(),
    version: { at: event.occurredAt ?? Math.trunc(nowMs), arrival: Math.trunc(nowMs * 1000) },
    body: event.body,
  };
}
