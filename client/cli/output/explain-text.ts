import type { BudgetScope } from '../../../schemas/plan';
import type { BudgetView } from '../../../workflows/messages';
import type { RunTrace } from '../../history/steps';
import type { CliError } from '../cli-error';
import type { Reason } from '../explain/reason';
import { printable, type Terminal } from '../terminal';
import { printBudgets } from './budget-text';
import { pairs } from './table';
import { dateTime, relative, span, zone } from './times';
import { shellWord } from './words';

/** What `syncline explain` shows. */
export function printExplanation(
  terminal: Terminal,
  found: {
    workflowId: string;
    run: RunTrace;
    reason: Reason;
    budgets: readonly { scope: BudgetScope; view: BudgetView | null }[];
    problems: readonly CliError[];
  },
): void {
  const { colours } = terminal;
  const { workflowId, run, reason, budgets, problems } = found;
  const now = terminal.now();
  terminal.line(colours.bold(printable(workflowId)));
  const sync = run.plan ? `${run.plan.syncId}, lane ${run.plan.budget.lane}` : 'not a record’s run';
  terminal.line(
    pairs(terminal, [
      ['sync', printable(sync)],
      ['why', printable(reason.why)],
      ...reason.behind.map((what) => ['behind', printable(what)] as const),
      ['until', untilWords(reason, now)],
      ...(reason.next === undefined ? [] : [['next', printable(reason.next)] as const]),
      ['started', `${dateTime(run.startedAt)}, ${relative(run.startedAt, now)}; times in ${zone(now)}`],
    ]),
  );
  if (budgets.length > 0) terminal.line();
  printBudgets(terminal, budgets);
  for (const { facts } of problems) terminal.note(colours.yellow(`warning: ${facts.what}${facts.next ? `; ${facts.next}` : ''}`));
  terminal.line(`${colours.dim('all that happened so far:')} npx syncline trace ${shellWord(workflowId)}`);
}

function untilWords({ cause, until, approximate }: Reason, now: number): string {
  if (cause === 'finished') return until === null ? 'done' : `done ${relative(until, now)}`;
  if (until === null) return 'nobody can say';
  const ms = Math.max(0, until - now);
  return `${approximate ? 'about ' : ''}${dateTime(until)}, in ${span(ms)}${approximate ? ' (an estimate: it supposes that demand and limits stay as they are)' : ''}`;
}
