import { budgetName, type BudgetScope } from '../../../schemas/plan';
import { budgetsOf, type Spender } from '../../../syncs/define-sync';
import type { BudgetView } from '../../../workflows/messages';
import { budgetView } from '../budget-view';
import type { CliContext } from '../context';
import { changesOf } from '../output/budget-text';
import { type Check, checksOf } from './check';

const { ok, warn } = checksOf('Budgets');

/** Budgets that do not answer within this have no worker, which is said where queues are checked. */
const answerMs = 3_000;

/** What operators changed and did not take back: a pause is easily forgotten. Budgets as declared are not listed. */
export async function budgetChecks(context: CliContext, syncs: readonly Spender[]): Promise<Check[]> {
  const scopes = new Map(syncs.flatMap(budgetsOf).map((scope) => [budgetName(scope), scope]));
  return (await Promise.all([...scopes.values()].map((scope) => changeCheck(context, scope)))).flat();
}

async function changeCheck(context: CliContext, scope: BudgetScope): Promise<Check[]> {
  let view: BudgetView | null;
  try {
    view = await budgetView(context, scope, { withinMs: answerMs });
  } catch {
    return []; // said by the checks of Temporal and of its queues
  }
  const changes = view ? changesOf(view) : [];
  if (!view || changes.length === 0) return [];
  const found = `changed by an operator: ${changes.join(', ')}`;
  const name = budgetName(scope);
  if (view.held.length === 0) return [ok(name, found)];
  const paused = view.held.includes('all') ? ['all'] : view.held;
  return [warn(name, found, paused.map((what) => `npx syncline budget resume ${name} ${what}`).join('\n'))];
}
