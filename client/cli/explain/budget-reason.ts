import type { BudgetView } from '../../../workflows/messages';
import { budgetName, type BudgetScope, type Lane } from '../../../schemas/plan';
import { span } from '../output/times';

/** A budget that was asked; null = never spent from. */
export interface AskedBudget {
  scope: BudgetScope;
  view: BudgetView | null;
}

/** Whose calls it is about: a sync, in the lane its plan says. */
export interface Caller {
  sync: string;
  lane: Lane;
}

/** What keeps calls from going. Milliseconds from the moment the budget was asked. */
export interface Shut {
  cause: 'paused' | 'off-peak' | 'breaker' | 'budget';
  why: string;
  /** Until calls go again; null = until an operator resumes it, or nobody knows. */
  opensMs: number | null;
  /** Until all that waits is sent, by the budget's estimate. */
  waitMs: number | null;
  behind: string[];
  next?: string;
}

/** The first thing in its budgets that keeps the caller's calls from going; null = nothing there does. */
export function shutBy(budgets: readonly AskedBudget[], caller: Caller): Shut | null {
  for (const { scope, view } of budgets) {
    if (!view) continue;
    const mine = spenderOf(view, caller);
    const shut = (cause: Shut['cause'], why: string, opensMs: number | null): Shut => ({ cause, why, opensMs, waitMs: mine?.waitMs ?? null, behind: [] });
    if (mine?.held) {
      const { also, next } = wayOut([{ scope, view }], caller);
      const words = `an operator paused it in ${budgetName(scope)} (${pausesOf(view, caller).join(', ')})`;
      return { ...shut('paused', words, null), behind: also, ...(next === undefined ? {} : { next }) };
    }
    if (mine && mine.shutMs > 0) return shut('off-peak', view.offPeak ? hoursWords(scope, view.offPeak) : 'its lane is shut', mine.shutMs);
    if (view.breaker.state !== 'closed') return shut('breaker', breakerWords(scope, view), view.breaker.openMs);
    const [spent] = spentWords(scope, view);
    if (spent !== undefined) return shut('budget', spent, view.closedMs);
    const [kept] = mine && mine.lane !== 'live' ? keptWords(scope, view) : [];
    if (kept !== undefined) return shut('budget', kept, null);
    if (view.state === 'paused') return shut('budget', `${budgetName(scope)}: the vendor asked for a rest (429)`, view.closedMs);
  }
  return null;
}

/** The caller's own line in a budget, in the lane it is served in. */
export function spenderOf(view: BudgetView, { sync, lane }: Caller): BudgetView['spenders'][number] | undefined {
  return view.spenders.find((one) => one.sync === sync && one.lane === (view.lanes[sync] ?? lane));
}

/** Of what operators paused, what holds the caller. */
export function pausesOf({ held, lanes }: BudgetView, { sync, lane }: Caller): string[] {
  return held.filter((one) => one === 'all' || one === `lane:${lanes[sync] ?? lane}` || one === `sync:${sync}`);
}

/** What holds the caller, and the command that takes back that and no other pause. `also`: where it can't but take back more. */
export function wayOut(budgets: readonly AskedBudget[], caller: Caller): { paused: string[]; also: string[]; next?: string } {
  const paused: string[] = [];
  const also: string[] = [];
  const commands: string[] = [];
  for (const { scope, view } of budgets) {
    const mine = view ? pausesOf(view, caller) : [];
    if (!view || mine.length === 0) continue;
    const all = mine.includes('all');
    const others = view.held.filter((one) => one !== 'all');
    paused.push(`${budgetName(scope)}: ${mine.join(', ')} paused`);
    if (all && others.length > 0) also.push(`to resume all takes back these as well: ${others.join(', ')}`);
    for (const what of all ? ['all'] : mine) commands.push(`npx syncline budget resume ${budgetName(scope)} ${what}`);
  }
  return { paused, also, ...(commands.length > 0 ? { next: commands.join(' && ') } : {}) };
}

/** What the breaker of a scope is at. */
export function breakerWords(scope: BudgetScope, { breaker }: BudgetView): string {
  const state = {
    closed: 'closed again: it goes on soon',
    open: `open for about ${span(breaker.openMs)} yet`,
    'half-open': 'half-open: one call tests the vendor',
  }[breaker.state];
  return `${budgetName(scope)}: the breaker is ${state}`;
}

/** Long windows whose rest is kept from bulk lanes. */
export function keptWords(scope: BudgetScope, { windows }: BudgetView): string[] {
  return windows
    .filter(({ kept, left }) => kept > 0 && kept >= left)
    .map(({ name, left }) => `${budgetName(scope)}: the last ${left} of ${name} are kept for live records and guaranteed shares`);
}

/** Long windows of which nothing is left. */
export function spentWords(scope: BudgetScope, { windows }: BudgetView): string[] {
  return windows
    .filter((one) => one.kind === 'count' && one.resetMs > 0)
    .map(
      ({ name, used, foreign, resetMs }) =>
        `${budgetName(scope)}: nothing is left of ${name} (${used} used by us, ${foreign} by others); free again in about ${span(resetMs)}`,
    );
}

/** When the account's bulk lanes send. */
export function hoursWords(scope: BudgetScope, { lanes, from, to, timeZone, open, changeMs }: NonNullable<BudgetView['offPeak']>): string {
  return `${budgetName(scope)}: ${lanes.join(', ')} send from ${from} to ${to} (${timeZone}); that ${open ? 'ends' : 'begins'} in ${span(changeMs)}`;
}
