import type { RowDebt, TableRunView } from '../../../schemas/table';
import type { Terminal } from '../terminal';
import { table } from './table';
import { counted } from './words';

/** What one table sync owes. */
export interface TableDebts {
  sync: string;
  /** The last run that ended; null = none is known. */
  runId: string | null;
  /** ISO 8601. */
  endedAt: string | null;
  owed: RowDebt[] | null;
  /** State of the run under way, where no run has ended yet; else null. */
  underWay: TableRunView['state'] | null;
}

/** What `syncline table debts` shows. */
export function printDebts(terminal: Terminal, tables: readonly TableDebts[]): void {
  if (tables.length === 0) return terminal.line('No table sync is declared yet: docs/reverse-etl.md shows how.');
  tables.forEach(({ sync, runId, endedAt, owed, underWay }, index) => {
    if (index > 0) terminal.line();
    const name = terminal.colours.bold(sync);
    if (owed === null) {
      if (underWay === null) return terminal.line(`${name}  no run that ended is known`);
      const now = underWay === 'waiting' ? 'waits for approval' : 'is under way';
      return terminal.line(`${name}  no run has ended yet; the first one ${now}: npx syncline table status ${sync}`);
    }
    const rows = sum(owed);
    terminal.line(
      `${name}  ${rows === 0 ? terminal.colours.green('owes nothing') : terminal.colours.yellow(`owes ${counted(rows, 'row')}`)} after run ${runId}, ${endedAt}`,
    );
    const leaving = owed.filter(({ op }) => op === 'remove');
    const writing = owed.filter(({ op }) => op !== 'remove');
    if (leaving.length > 0) {
      const should =
        sum(leaving) === 1
          ? '1 row left the source and should be gone from the vendor, which may have it still'
          : `${sum(leaving)} rows left the source and should be gone from the vendor, which may have them still`;
      terminal.line(`  ${terminal.colours.red(should)}: of an audience, people who should have left.`);
      terminal.line(debts(terminal, leaving));
    }
    if (writing.length > 0) terminal.line(debts(terminal, writing));
  });
}

function sum(owed: readonly RowDebt[]): number {
  return owed.reduce((total, debt) => total + debt.rows, 0);
}

function debts(terminal: Terminal, owed: readonly RowDebt[]): string {
  return table(
    terminal,
    [{ head: 'rows', align: 'right' }, { head: 'what' }, { head: 'code' }, { head: 'since' }, { head: 'why', shrink: 'end', min: 20 }],
    owed.map(({ rows, op, code, sinceMs, cause }) => [
      rows,
      op === 'remove' ? 'not removed' : 'not written',
      code,
      new Date(sinceMs).toISOString().slice(0, 16),
      cause,
    ]),
    2,
  );
}
