import { WorkflowNotFoundError } from '@temporalio/client';
import type { Lane } from '../../../schemas/plan';
import { allBudgets } from '../../../syncs/accounts-api';
import { budgetWorkflowId } from '../../../workflows/ids';
import { changeBudgetUpdate, type BudgetCommand, type BudgetView } from '../../../workflows/messages';
import { budgetView, nameOf, waitingWork } from '../budget-view';
import { CliError, exitCodes, usageError } from '../cli-error';
import type { Answer, CliContext } from '../context';
import { printBudgets } from '../output/budget-text';

type Scope = BudgetView['scope'];

/** `syncline budget [scope]`: who spends what of each vendor account, and when it runs out. */
export async function showBudgets(context: CliContext, wanted: string | undefined): Promise<Answer> {
  const scopes = scopesOf(context, wanted);
  const views = await Promise.all(scopes.map(async (scope) => budgetView(context, scope, await waitingWork(context, scope))));
  const budgets = scopes.map((scope, index) => ({ scope, view: views[index] ?? null }));
  const bad = budgets.some(({ view }) => view !== null && view.state !== 'open');
  return { exitCode: bad ? exitCodes.badNews : exitCodes.ok, document: { budgets }, print: (terminal) => printBudgets(terminal, budgets) };
}

/** A budget without a worker answers nobody. */
const changeTimeoutMs = 8_000;

/** `syncline budget pause|resume|share|priority`: in force at every worker's next renewal, some seconds. */
export async function changeBudget(context: CliContext, wanted: string, command: BudgetCommand): Promise<Answer> {
  const [scope, ...more] = scopesOf(context, wanted);
  if (!scope) throw usageError(`no sync spends from "${wanted}"`);
  if (more.length > 0) throw usageError(`several budgets fit "${wanted}"`, { expected: [scope, ...more].map(nameOf).join(', ') });
  checkSync(context, command);
  const { client, address } = await context.temporal();
  try {
    const handle = client.workflow.getHandle(budgetWorkflowId(scope));
    const view = await client.withDeadline(Date.now() + changeTimeoutMs, () => handle.executeUpdate(changeBudgetUpdate, { args: [command] }));
    return { exitCode: exitCodes.ok, document: { budget: view }, print: (terminal) => printBudgets(terminal, [{ scope, view }]) };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw usageError(`the budget of ${nameOf(scope)} has not started: nothing was ever spent from it`);
    const cause = (error as { cause?: { message?: string } }).cause?.message;
    if (cause) throw usageError(cause);
    throw new CliError({
      exitCode: exitCodes.unreachable,
      what: 'the budget does not answer; the change may still take effect once a worker runs',
      where: address,
      next: 'is a worker running? npx syncline doctor',
    });
  }
}

/** A typo must not be granted a share. */
function checkSync(context: CliContext, command: BudgetCommand): void {
  const named = 'sync' in command ? command.sync : command.what.startsWith('sync:') ? command.what.slice('sync:'.length) : undefined;
  const known = context.syncs().map(({ id }) => id);
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
  if (!['live', 'scheduled', 'backfill', 'replay'].includes(text))
    throw usageError(`lane "${text}"`, { expected: 'live, scheduled, backfill, replay, or none' });
  return text as Lane;
}

/** Every scope the syncs spend from, or the one named `vendor/scope`, `vendor`, or `scope`. */
function scopesOf(context: CliContext, wanted: string | undefined): Scope[] {
  const all = new Map<string, Scope>();
  const accounts = [
    ...context.syncs().flatMap(({ to, enrich }) => [to.account, ...(enrich ? [enrich.account] : [])]),
    ...context.tableSyncs().map(({ to }) => to.account),
  ];
  for (const account of accounts) {
    for (const { scope } of allBudgets(account)) all.set(nameOf(scope), scope);
  }
  const fitting = [...all.values()].filter((scope) => wanted === undefined || [nameOf(scope), scope.vendor, scope.scope].includes(wanted));
  if (fitting.length === 0) throw usageError(`no sync spends from "${wanted ?? ''}"`, { expected: [...all.keys()].join(', ') });
  return fitting;
}
