import type { Client } from '@temporalio/client';

type LastEvent = Awaited<ReturnType<Client['workflowService']['getWorkflowExecutionHistoryReverse']>>;

/** Of a run and of what it continued as. */
export interface ChainHistory {
  events: number;
  bytes: number;
  /** Runs of the chain. */
  runs: number;
}

/** Walks from the first run to the last: each names its successor in its last event. */
export async function historyOfChain(client: Client, workflowId: string, firstRunId: string): Promise<ChainHistory> {
  const { namespace } = client.options;
  const sum: ChainHistory = { events: 0, bytes: 0, runs: 0 };
  for (let runId: string | undefined = firstRunId; runId !== undefined;) {
    const { workflowExecutionInfo: info } = (await client.workflow.getHandle(workflowId, runId).describe()).raw;
    sum.events += Number(info?.historyLength);
    sum.bytes += Number(info?.historySizeBytes);
    sum.runs += 1;
    const { history }: LastEvent = await client.workflowService.getWorkflowExecutionHistoryReverse({
      namespace,
      execution: { workflowId, runId },
      maximumPageSize: 1,
    });
    runId = history?.events?.[0]?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
  }
  return sum;
}
