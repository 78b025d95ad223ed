import { WorkflowNotFoundError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { budgetName, lanes, type BudgetScope, type Lane } from '../../../schemas/plan';
import { allBudgets } from '../../../syncs/accounts-api';
import { vendorAccounts } from '../../../syncs/define-sync';
import { budgetWorkflowId } from '../../../workflows/ids';
import { changeBudgetUpdate, type BudgetCommand } from '../../../workflows/messages';
import { answerMs, budgetView, waitingWork } from '../budget-view';
import { CliError, exitCodes, usageError } from '../cli-error';
import type { Answer, CliContext } from '../context';
import { unreachableCodes } from '../error-facts';
import { printBudgets } from '../output/budget-text';

/** `syncline budget [scope]`: who spends what of each vendor account, and when it runs out. */
export async function showBudgets(context: CliContext, wanted: string | undefined): Promise<Answer> {
  const scopes = scopesFor(context, wanted);
  const views = await Promise.all(scopes.map(async (scope) => budgetView(context, scope, await waitingWork(context, scope))));
  const budgets = scopes.map((scope, index) => ({ scope, view: views[index] ?? null }));
  const bad = budgets.some(({ view }) => view !== null && view.state !== 'open');
  return { exitCode: bad ? exitCodes.badNews : exitCodes.ok, document: { budgets }, print: (terminal) => printBudgets(terminal, budgets) };
}

/** `syncline budget pause|resume|share|priority`: in force at every worker's next renewal, some seconds. */
export async function changeBudget(context: CliContext, wanted: string, command: BudgetCommand): Promise<Answer> {
  const [scope, ...more] = scopesFor(context, wanted);
  if (more.length > 0) throw usageError(`several budgets fit "${wanted}"`, { expected: [scope, ...more].map(budgetName).join(', ') });
  checkSync(context, command);
  const { client, address } = await context.temporal();
  try {
    const handle = client.workflow.getHandle(budgetWorkflowId(scope));
    const view = await client.withDeadline(Date.now() + answerMs, () => handle.executeUpdate(changeBudgetUpdate, { args: [command] }));
    return { exitCode: exitCodes.ok, document: { budget: view }, print: (terminal) => printBudgets(terminal, [{ scope, view }]) };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw usageError(`the budget of ${budgetName(scope)} has not started: nothing was ever spent from it`);
    if (error instanceof WorkflowUpdateFailedError) throw usageError(error.cause?.message ?? error.message);
    if (!isUnanswered(error)) throw error;
    throw new CliError({
      exitCode: exitCodes.unreachable,
      what: `the budget of ${budgetName(scope)} does not answer; the change may still take effect once a worker runs`,
      where: address,
      next: `start a worker, then see what is in force: npx syncline budget ${budgetName(scope)}`,
    });
  }
}

/** Nobody said yes or no: no worker in time, or the server is away. */
function isUnanswered(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  return unreachableCodes.includes((error as { cause?: { code?: unknown } }).cause?.code as number);
}

/** A typo must not be granted a share. */
function checkSync(context: CliContext, command: BudgetCommand): void {
  const named = 'sync' in command ? command.sync : command.what.startsWith('sync:') ? command.what.slice('sync:'.length) : undefined;
  const known = [...context.syncs(), ...context.tableSyncs()].map(({ id }) => id);
  // What was set for a sync that is gone can still be taken back.
  const takesBack = command.kind === 'resume' || ('share' in command && command.share === null) || ('lane' in command && command.lane === null);
  if (named !== undefined && !takesBack && !known.includes(named)) throw usageError(`there is no sync "${named}"`, { expected: known.join(', ') });
}

/** A share as one types it: `0.3`, `30%`, or `none`. */
export function parseShare(text: string): number | null {
  if (text === 'none') return null;
  const value = text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text);
  if (!(value > 0 && value <= 1)) throw usageError(`share "${text}"`, { expected: 'a part such as 0.3 or 30%, or none' });
  return value;
}

export function parseLane(text: string): Lane | null {
  if (text === 'none') return null;
  const lane = lanes.find((one) => one === text);
  if (!lane) throw usageError(`lane "${text}"`, { expected: `${lanes.join(', ')}, or none` });
  return lane;
}

/** Every scope the syncs spend from, or the one named `vendor/scope`, `vendor`, or `scope`. */
function scopesFor(context: CliContext, wanted: string | undefined): [BudgetScope, ...BudgetScope[]] {
  const accounts = vendorAccounts([...context.syncs(), ...context.tableSyncs()]);
  const scopes = accounts.flatMap((account) => allBudgets(account).map(({ scope }) => scope));
  const all = new Map(scopes.map((scope) => [budgetName(scope), scope]));
  const fitting = [...all.values()].filter((scope) => wanted === undefined || [budgetName(scope), scope.vendor, scope.scope].includes(wanted));
  const [first, ...more] = fitting;
  if (!first) throw usageError(`no sync spends from "${wanted ?? ''}"`, { expected: [...all.keys()].join(', ') });
  return [first, ...more];
}
