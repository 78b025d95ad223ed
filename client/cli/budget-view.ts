import { WorkflowNotFoundError } from '@temporalio/client';
import { quoted } from '../history/fetch-trace';
import { budgetName, type BudgetScope } from '../../schemas/plan';
import { scopesOf } from '../../syncs/define-sync';
import { budgetWorkflowId } from '../../workflows/ids';
import { budgetQuery, type BudgetView, type WaitingWork } from '../../workflows/messages';
import { CliError, exitCodes } from './cli-error';
import type { CliContext } from './context';

/** A budget is asked and changed by way of a worker; without one it would take for ever. */
export const answerMs = 8_000;

/** One budget as it is now; null = it has not started, so nothing was ever spent from it. Rejects with exit 3 when it does not answer. */
export async function budgetView(context: CliContext, scope: BudgetScope, waiting: WaitingWork[] = []): Promise<BudgetView | null> {
  const { client, address } = await context.temporal();
  try {
    const handle = client.workflow.getHandle(budgetWorkflowId(scope));
    return await client.withDeadline(Date.now() + answerMs, () => handle.query(budgetQuery, { nowMs: Date.now(), waiting }));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw new CliError({
      exitCode: exitCodes.unreachable,
      what: `the budget of ${budgetName(scope)} does not answer`,
      where: address,
      next: 'start a worker: the budget lives in its workflow, and only a worker can ask it',
    });
  }
}

/**
 * Calls that open runs will want of a scope, by sync: as many records as Temporal's index counts (it is about a second behind),
 * in full batches. Work in task queues is not known to the budget otherwise.
 */
export async function waitingWork(context: CliContext, scope: BudgetScope): Promise<WaitingWork[]> {
  const { client } = await context.temporal();
  const spending = context.syncs().filter((sync) => scopesOf(sync).some((one) => budgetName(one) === budgetName(scope)));
  return Promise.all(
    spending.map(async ({ id, to, budget }) => {
      const records = await client.workflow.count(`SynclineSync = ${quoted(id)} AND ExecutionStatus = 'Running'`).then(
        ({ count }) => count,
        () => 0, // the estimates are then of what the workers know
      );
      return { sync: id, lane: budget.lane, calls: Math.ceil(records / to.operation.maxBatch) };
    }),
  );
}
