import type { CommonWorkflowOptions } from '@temporalio/common';
import type { TableRunInput } from '../schemas/table';
import { mainTaskQueue, tableRunWorkflowId } from '../workflows/ids';
import { searchAttributes } from './search-attributes';

/** The workflow of a table sync's run. */
export const tableSyncType = 'tableSync';

/** What `client.workflow.start(tableSyncType, …)` takes. */
export interface TableStart extends CommonWorkflowOptions {
  workflowId: string;
  taskQueue: string;
  args: [TableRunInput];
}

/** Options of a run: one at a time, whoever starts it. `WorkflowExecutionAlreadyStartedError` means that one is under way. */
export function tableStartOptions(input: TableRunInput): TableStart {
  const { plan } = input;
  return {
    workflowId: tableRunWorkflowId(plan.syncId),
    taskQueue: mainTaskQueue,
    args: [input],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'FAIL',
    typedSearchAttributes: [
      { key: searchAttributes.sync, value: plan.syncId },
      { key: searchAttributes.source, value: `warehouse/${plan.warehouse.name}` },
      { key: searchAttributes.account, value: `${plan.vendor}/${plan.account}` },
    ],
    staticSummary: `${plan.source.table ?? 'query'} in ${plan.warehouse.name} → ${plan.vendor} ${plan.operation}`,
  };
}
