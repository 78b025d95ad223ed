import { WorkflowNotFoundError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { budgetName, lanes, type BudgetScope, type Lane } from '../../../schemas/plan';
import { budgetsOf, scopesOf } from '../../../syncs/define-sync';
import { budgetWorkflowId } from '../../../workflows/ids';
import { changeBudgetUpdate, type BudgetCommand, type BudgetView } from '../../../workflows/messages';
import { answerMs, budgetView, waitingWork } from '../budget-view';
import { CliError, exitCodes, usageError } from '../cli-error';
import type { Answer, CliContext } from '../context';
import { unreachableCodes } from '../error-facts';
import { printBudgets } from '../output/budget-text';

/** `syncline budget [scope]`: who spends what of each vendor account, and when it runs out. */
export async function showBudgets(context: CliContext, wanted: string | undefined): Promise<Answer> {
  const scopes = scopesFor(context, wanted);
  const views = await Promise.all(scopes.map(async (scope) => budgetView(context, scope, { waiting: await waitingWork(context, scope) })));
  const budgets = scopes.map((scope, index) => ({ scope, view: views[index] ?? null }));
  const bad = budgets.some(({ view }) => view !== null && view.state !== 'open');
  return { exitCode: bad ? exitCodes.badNews : exitCodes.ok, document: { budgets }, print: (terminal) => printBudgets(terminal, budgets) };
}

/** `syncline budget pause|resume|share|priority`: in force at every worker's next renewal, some seconds. */
export async function changeBudget(context: CliContext, wanted: string, command: BudgetCommand): Promise<Answer> {
  const [scope, ...more] = scopesFor(context, wanted);
  if (more.length > 0) throw usageError(`several budgets fit "${wanted}"`, { expected: [scope, ...more].map(budgetName).join(', ') });
  const note = await checkEffect(context, scope, command);
  const { client, address } = await context.temporal();
  try {
    const handle = client.workflow.getHandle(budgetWorkflowId(scope));
    const view = await client.withDeadline(Date.now() + answerMs, () => handle.executeUpdate(changeBudgetUpdate, { args: [command] }));
    return {
      exitCode: exitCodes.ok,
      document: { budget: view, ...(note === undefined ? {} : { note }) },
      print: (terminal) => {
        if (note !== undefined) terminal.line(terminal.colours.yellow(note));
        printBudgets(terminal, [{ scope, view }]);
      },
    };
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

/**
 * Neither a typo nor a sync of another account is granted anything. What was set for a sync that is gone can be taken back as long
 * as it is in force. Resolves with what to say when there was nothing to take back.
 */
async function checkEffect(context: CliContext, scope: BudgetScope, command: BudgetCommand): Promise<string | undefined> {
  const back = command.kind === 'resume' || ('share' in command && command.share === null) || ('lane' in command && command.lane === null);
  const view = back ? await budgetView(context, scope) : null;
  if (view && isInForce(view, command)) return undefined;
  const sync = 'sync' in command ? command.sync : /^sync:(.+)/.exec(command.what)?.[1];
  if (sync !== undefined) checkSpends(context, scope, { sync, back });
  return view ? nothingToTakeBack(view, scope, command) : undefined;
}

function isInForce({ held, lanes, shares, changedShares = shares }: BudgetView, command: BudgetCommand): boolean {
  if (command.kind === 'share') return Object.hasOwn(changedShares, command.sync);
  if (command.kind === 'priority') return Object.hasOwn(lanes, command.sync);
  return command.what === 'all' ? held.length > 0 : held.includes(command.what);
}

function nothingToTakeBack({ held }: BudgetView, scope: BudgetScope, command: BudgetCommand): string {
  const name = budgetName(scope);
  if (command.kind === 'share') return `no share of ${command.sync} was set in ${name}: it stays as declared`;
  if (command.kind === 'priority') return `no lane of ${command.sync} was set in ${name}: it stays as declared`;
  if (held.length === 0) return `nothing was paused in ${name}`;
  return `nothing was paused under "${command.what}" in ${name}; paused there: ${held.join(', ')}`;
}

function checkSpends(context: CliContext, scope: BudgetScope, { sync, back }: { sync: string; back: boolean }): void {
  const name = budgetName(scope);
  const declared = [...context.syncs(), ...context.tableSyncs()];
  const spenders = declared.filter((one) => budgetsOf(one).some((budget) => budgetName(budget) === name)).map(({ id }) => id);
  if (spenders.includes(sync)) return;
  const other = declared.find(({ id }) => id === sync);
  const why = back ? `, and nothing that was set for it in ${name} to take back` : '';
  throw usageError(other ? `${sync} spends nothing of ${name}${why || ': this would have no effect'}` : `there is no sync "${sync}"${why}`, {
    where: `the budget ${name}`,
    expected: `a sync that spends it: ${spenders.join(', ')}`,
    next: other ? `what it spends: npx syncline budget ${scopesOf(other).map(budgetName)[0]}` : 'npx syncline syncs',
  });
}

/** A share as one types it: `0.3`, `30%`, or `none`. */
export function parseShare(text: string): number | null {
  if (text === 'none') return null;
  const value = text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text);
  if (!(value > 0 && value <= 1)) throw usageError(`share "${text}"`, { expected: 'a part such as 0.3 or 30%, more than 0 and at most 1 (100%); or none' });
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
  const scopes = [...context.syncs(), ...context.tableSyncs()].flatMap(budgetsOf);
  const all = new Map(scopes.map((scope) => [budgetName(scope), scope]));
  const fitting = [...all.values()].filter((scope) => wanted === undefined || [budgetName(scope), scope.vendor, scope.scope].includes(wanted));
  const [first, ...more] = fitting;
  if (!first) throw usageError(`no sync spends from "${wanted ?? ''}"`, { expected: [...all.keys()].join(', ') });
  return [first, ...more];
}
