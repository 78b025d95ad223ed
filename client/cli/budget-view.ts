import { WorkflowNotFoundError } from '@temporalio/client';
import { quoted } from '../history/fetch-trace';
import { budgetName, type BudgetScope, type Lane } from '../../schemas/plan';
import { scopesOf, type Spender, type Sync } from '../../syncs/define-sync';
import { budgetWorkflowId } from '../../workflows/ids';
import { budgetQuery, type BudgetView, type WaitingWork } from '../../workflows/messages';
import { CliError, exitCodes } from './cli-error';
import type { CliContext } from './context';
import { tableWork } from './table-run';

/** A budget is asked and changed by way of a worker; without one it would take for ever. */
export const answerMs = 8_000;

/** One budget as it is now; null = it has not started, so nothing was ever spent from it. Rejects with exit 3 when it does not answer. */
export async function budgetView(
  context: CliContext,
  scope: BudgetScope,
  { waiting = [], withinMs = answerMs }: { waiting?: WaitingWork[]; withinMs?: number } = {},
): Promise<BudgetView | null> {
  const { client, address } = await context.temporal();
  try {
    const handle = client.workflow.getHandle(budgetWorkflowId(scope));
    return await client.withDeadline(Date.now() + withinMs, () => handle.query(budgetQuery, { nowMs: Date.now(), waiting }));
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
 * Calls that open runs will want of a scope, by sync: of records as many as Temporal's index counts (it is about a second
 * behind), in full batches; of a table's run its rows without an end. Work in task queues is not known to the budget otherwise.
 */
export async function waitingWork(context: CliContext, scope: BudgetScope): Promise<WaitingWork[]> {
  const spends = (sync: Spender): boolean => scopesOf(sync).some((one) => budgetName(one) === budgetName(scope));
  const records = context.syncs().filter(spends);
  const tables = context.tableSyncs().filter(spends);
  return Promise.all([...records.map((sync) => recordWork(context, sync)), ...tables.map((sync) => tableWork(context, sync))]);
}

async function recordWork(context: CliContext, { id, to, budget }: Sync): Promise<WaitingWork> {
  const { client } = await context.temporal();
  const records = await client.workflow.count(`SynclineSync = ${quoted(id)} AND ExecutionStatus = 'Running'`).then(
    ({ count }) => count,
    () => 0, // the estimates are then of what the workers know
  );
  return { sync: id, lane: budget.lane, calls: Math.ceil(records / to.operation.maxBatch) };
}

/** The budgets of a run's scopes as they are now, with what it wants itself. Those that do not answer become `problems`. */
export async function askBudgets(
  context: CliContext,
  { scopes, sync, lane }: { scopes: readonly BudgetScope[]; sync: string; lane: Lane },
  problems: CliError[],
): Promise<{ scope: BudgetScope; view: BudgetView | null }[]> {
  const budgets: { scope: BudgetScope; view: BudgetView | null }[] = [];
  for (const scope of scopes) {
    try {
      const work = await waitingWork(context, scope);
      // A replay goes in its own lane.
      const mine = work.some((one) => one.sync === sync && one.lane === lane) ? [] : [{ sync, lane, calls: 1 }];
      budgets.push({ scope, view: await budgetView(context, scope, { waiting: [...work, ...mine] }) });
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      problems.push(error);
    }
  }
  return budgets;
}
