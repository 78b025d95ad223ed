import type { BudgetScope } from '../../../schemas/plan';
import type { BudgetView } from '../../../workflows/messages';
import type { CliError } from '../cli-error';
import type { Reason } from '../explain/reason';
import { printable, type Terminal } from '../terminal';
import { printBudgets } from './budget-text';
import { pairs } from './table';
import { dateTime, relative, span, zone } from './times';

/** What `syncline explain` shows. */
export function printExplanation(
  terminal: Terminal,
  found: {
    workflowId: string;
    /** Whose run it is, in words. */
    sync: string;
    startedAt: number;
    /** Where to read on. */
    more: { words: string; command: string };
    reason: Reason;
    budgets: readonly { scope: BudgetScope; view: BudgetView | null }[];
    problems: readonly CliError[];
  },
): void {
  const { colours } = terminal;
  const { workflowId, startedAt, more, reason, budgets, problems } = found;
  const now = terminal.now();
  terminal.line(colours.bold(printable(workflowId)));
  terminal.line(
    pairs(terminal, [
      ['sync', printable(found.sync)],
      ['why', printable(reason.why)],
      ...reason.behind.map((what) => ['behind', printable(what)] as const),
      ['until', untilWords(reason, now)],
      ...(reason.next === undefined ? [] : [['next', printable(reason.next)] as const]),
      ['started', `${dateTime(startedAt)}, ${relative(startedAt, now)}; times in ${zone(now)}`],
    ]),
  );
  if (budgets.length > 0) terminal.line();
  printBudgets(terminal, budgets);
  for (const { facts } of problems) terminal.note(colours.yellow(`warning: ${facts.what}${facts.next ? `; ${facts.next}` : ''}`));
  terminal.line(`${colours.dim(more.words)} ${more.command}`);
}

function untilWords({ cause, until, approximate }: Reason, now: number): string {
  if (cause === 'finished') return until === null ? 'done' : `done ${relative(until, now)}`;
  if (until === null) return 'nobody can say';
  const ms = Math.max(0, until - now);
  return `${approximate ? 'about ' : ''}${dateTime(until)}, in ${span(ms)}${approximate ? ' (an estimate: it supposes that demand and limits stay as they are)' : ''}`;
}
