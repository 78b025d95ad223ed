import { getExternalWorkflowHandle, ParentClosePolicy, startChild } from '@temporalio/workflow';
import type { TableRunInput } from '../schemas/table';
import { tableRunWorkflowId } from './ids';
import { runAgainSignal } from './messages';
import { tableSync } from './table-sync';

/**
 * What a schedule starts: it starts the run under its fixed id, so that there is one at a time, whoever starts it. (A schedule
 * appends the time to the ids of what it starts itself.)
 */
export async function tableTick(input: TableRunInput): Promise<{ started: boolean; workflowId: string }> {
  const { syncId, vendor, account, warehouse, overlap } = input.plan;
  const workflowId = tableRunWorkflowId(syncId);
  try {
    await startChild(tableSync, {
      workflowId,
      args: [input],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      searchAttributes: { SynclineSync: [syncId], SynclineSource: [`warehouse/${warehouse.name}`], SynclineAccount: [`${vendor}/${account}`] },
    });
    return { started: true, workflowId };
  } catch (error) {
    if ((error as Error).name !== 'WorkflowExecutionAlreadyStartedError') throw error;
    // It may end in this moment: then the next tick starts it.
    if (overlap === 'buffer')
      await getExternalWorkflowHandle(workflowId)
        .signal(runAgainSignal, input)
        .catch(() => undefined);
    return { started: false, workflowId };
  }
}
