import type { RowDebt } from '../../../schemas/table';
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
}

/** What `syncline table debts` shows. */
export function printDebts(terminal: Terminal, tables: readonly TableDebts[]): void {
  if (tables.length === 0) return terminal.line('No table sync is declared yet: docs/reverse-etl.md shows how.');
  tables.forEach(({ sync, runId, endedAt, owed }, index) => {
    if (index > 0) terminal.line();
    const name = terminal.colours.bold(sync);
    if (owed === null) return terminal.line(`${name}  no run that ended is known`);
    const rows = owed.reduce((sum, debt) => sum + debt.rows, 0);
    terminal.line(
      `${name}  ${rows === 0 ? terminal.colours.green('owes nothing') : terminal.colours.yellow(`owes ${counted(rows, 'row')}`)} after run ${runId}, ${endedAt}`,
    );
    if (rows > 0) terminal.line(debts(terminal, owed));
  });
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
