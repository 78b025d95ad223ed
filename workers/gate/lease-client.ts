import { isGrpcServiceError, WithStartWorkflowOperation, WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { BudgetScope } from '../../schemas/plan';
import type { LeaseReply, LeaseRequest } from '../../workflows/budget/protocol';
import type { vendorBudget } from '../../workflows/budget/vendor-budget';
import { budgetTaskQueue, budgetWorkflowId } from '../../workflows/ids';
import { leasePermitsUpdate } from '../../workflows/messages';

/**
 * An answer later than this is of no use: the lease it brings has ended. Until then we wait for this one rather than ask
 * again: an update waits in the server while the budget's worker is being replaced, and only ten may.
 */
const answerMs = 7_000;

/** Asks the budgets, which are workflows: started by the first request, found again by their id. */
export function createLeaseClient(clientOf: () => Client): (scope: BudgetScope, request: LeaseRequest) => Promise<LeaseReply> {
  return async (scope, request) => {
    const client = clientOf();
    const workflowId = budgetWorkflowId(scope);
    const update = { args: [request] as [LeaseRequest], updateId: `${request.worker}/${request.seq}` };
    return client.withDeadline(Date.now() + answerMs, async () => {
      try {
        return await client.workflow.getHandle(workflowId).executeUpdate(leasePermitsUpdate, update);
      } catch (error) {
        if (!isNotFound(error)) throw error;
        const startWorkflowOperation = new WithStartWorkflowOperation<typeof vendorBudget>('vendorBudget', {
          workflowId,
          taskQueue: budgetTaskQueue,
          args: [{ scope: { vendor: scope.vendor, scope: scope.scope } }],
          workflowIdConflictPolicy: 'USE_EXISTING',
          // A budget whose worker died is on another within seconds, or leases lapse meanwhile.
          workflowTaskTimeout: '2s',
        });
        return client.workflow.executeUpdateWithStart(leasePermitsUpdate, { ...update, startWorkflowOperation });
      }
    });
  };
}

function isNotFound(error: unknown): boolean {
  return error instanceof WorkflowNotFoundError || (isGrpcServiceError(error) && Number(error.code) === 5);
}
