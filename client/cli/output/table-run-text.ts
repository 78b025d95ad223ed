import type { Decision, MatchRate, PlanCounts, RowDebt, TableRunView, TrippedGuard } from '../../../schemas/table';
import type { RunTrouble } from '../table-trouble';
import { printable, type Terminal } from '../terminal';
import { span } from './times';
import { counted, outcomeColour } from './words';

/** A run's state in words. */
export const runStates: Record<TableRunView['state'], string> = {
  planning: 'comparing rows',
  waiting: 'waits for approval',
  running: 'sending rows',
  closing: 'counting',
  done: 'done',
  cancelled: 'cancelled',
  refused: 'refused by an operator',
  expired: 'nobody approved it in time',
  failed: 'failed',
};

/** What somebody decided of a run. Rows are `rejected`, by vendors; a run is refused. */
export const decisionWords: Record<Decision['decision'], string> = { approve: 'approved', reject: 'refused' };

/** A run, with why it does not go on or failed. */
export interface RunFound {
  view: TableRunView;
  /** null = it is well, or nobody knows. */
  trouble: RunTrouble | null;
  /** By earlier runs, where this one has not counted yet; null = nobody knows. @default as it counted */
  owed?: readonly RowDebt[] | null;
}

/** The same of a table sync that may not have run yet. */
export type RunFoundOrNone = Omit<RunFound, 'view'> & { view: TableRunView | null };

/** Every table sync with its run under way, or the last one. */
export function printRuns(terminal: Terminal, views: readonly ({ sync: string } & RunFoundOrNone)[]): void {
  if (views.length === 0) return terminal.line('No table sync is declared yet: docs/reverse-etl.md shows how.');
  views.forEach(({ sync, view, ...found }, index) => {
    if (index > 0) terminal.line();
    if (view) printRun(terminal, { view, ...found });
    else terminal.line(`${terminal.colours.bold(sync)}  has not run yet`);
  });
}

/** One run: what the diff found, what became of it, and whether that adds up. */
export function printRun(terminal: Terminal, { view, trouble, owed = view.equation?.owed ?? [] }: RunFound): void {
  const { colours } = terminal;
  terminal.line(`${colours.bold(view.syncId)}  run ${view.runId}: ${runStates[view.state]}`);
  for (const line of trouble ? troubleLines(trouble) : []) terminal.line(colours.yellow(line));
  const { counts, equation } = view;
  if (counts) {
    const { badKeys } = counts;
    const bad = badKeys.null + badKeys.duplicate + badKeys.long;
    const parts = [
      `${counts.added} added`,
      `${counts.changed} changed`,
      `${counts.removed} removed`,
      `${counts.unchanged} unchanged`,
      ...(counts.resent > 0 ? [`${counts.resent} sent again`] : []),
      ...(counts.resting > 0 ? [`${counts.resting} refused before`] : []),
      ...(bad > 0 ? [colours.yellow(`${bad} without a usable key`)] : []),
    ];
    terminal.line(`  ${counted(counts.read, 'row')} read: ${parts.join(', ')}`);
    if (counts.suppressNobody) terminal.line(`  ${colours.yellow(suppressionWords(counts.suppressNobody))}`);
  }
  for (const waits of view.waitingFor) terminal.line(`  ${colours.yellow(waits.guard)}: ${waits.why}${approvedBefore(waits, view)}`);
  if (view.waitingFor.length > 0) terminal.line(`  npx syncline approve ${view.runId} --reason '…'   (or reject)`);
  const outcomes = Object.entries(equation?.outcomes ?? view.outcomes).map(([outcome, rows]) => outcomeColour(colours, outcome)(`${rows} ${outcome}`));
  if (equation) terminal.line(`  ${equation.planned} planned = ${outcomes.join(' + ') || '0'}${equation.holds ? '' : colours.red('  DOES NOT ADD UP')}`);
  else if (counts && view.state === 'running') terminal.line(`  ${view.ended} of ${counts.planned} ended: ${outcomes.join(', ') || 'none yet'}`);
  for (const { outcome, code, cause, rows } of equation?.causes ?? []) terminal.line(`    ${counted(rows, 'row')} ${outcome} ${code}: ${cause}`);
  const rowsOwed = (owed ?? []).reduce((sum, { rows }) => sum + rows, 0);
  if (rowsOwed > 0) terminal.line(`  ${counted(rowsOwed, 'row')} owed ${equation ? 'by now' : 'by earlier runs'}: npx syncline table debts ${view.syncId}`);
  if (equation?.matched) terminal.line(`  ${matchWords(equation.matched)}`);
  for (const { decision, by, at, reason } of view.approvals) terminal.line(`  ${decisionWords[decision]} by ${by} at ${at}: ${reason}`);
}

/** An approval holds for what was approved, and a tenth more. */
function approvedBefore({ guard }: TrippedGuard, { approvals }: TableRunView): string {
  const guards = approvals.filter(({ decision }) => decision === 'approve').flatMap((approval) => approval.guards);
  const last = guards.findLast((known) => known.guard === guard);
  return last ? `; ${counted(last.rows, 'row')} of it had been approved, and it has grown since` : '';
}

function suppressionWords({ rows, syncs }: NonNullable<PlanCounts['suppressNobody']>): string {
  const names = printable(syncs.join(', '));
  return rows === 1
    ? `1 row of syncline.suppression names no declared audience and keeps nobody out: ${names}`
    : `${rows} rows of syncline.suppression name no declared audience and keep nobody out: ${names}`;
}

function matchWords({ least, most, before }: MatchRate): string {
  const percent = (part: number): string => `${Math.round(part * 100)} %`;
  const now = least === most ? percent(most) : `${percent(least)} to ${percent(most)}`;
  return `the vendor knows ${now} of those handed over${before === null ? '' : ` (the time before: ${percent(before)})`}`;
}

/** Why a run does not go on or failed, and what to do. */
export function troubleLines({ code, why, next }: RunTrouble): string[] {
  // The codes of failures stand in capitals: they are looked up. Those of waits are words of ours.
  const words = /^[A-Z_]+$/.test(code) ? `${code}: ${why}` : why;
  return [`  why:  ${printable(words)}`, ...(next === undefined ? [] : [`  next: ${printable(next)}`])];
}

/** `4,000 of 20,000 rows, 950 rows/s, about 17 s left`; an estimate, and it says so. */
export function progressLine(view: TableRunView, runningMs: number): string {
  if (view.state !== 'running' || !view.counts) return runStates[view.state];
  const { planned } = view.counts;
  const perSecond = runningMs > 0 ? (view.ended * 1_000) / runningMs : 0;
  const held = view.held[0];
  const rate = perSecond > 0 ? `, ${Math.round(perSecond)} rows/s, about ${span(((planned - view.ended) / perSecond) * 1_000)} left` : '';
  return `${view.ended} of ${planned} rows${rate}${held ? `; held: ${held.cause}` : ''}`;
}
