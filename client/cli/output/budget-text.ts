import type { BudgetView } from '../../../workflows/messages';
import type { Terminal } from '../terminal';
import { table } from './table';
import { span } from './times';
import { counted } from './words';

/** From this part on a window is shown in yellow. */
const watchPart = 0.7;

const stateWords: Record<BudgetView['state'], string> = {
  open: 'open',
  paused: 'paused: the vendor asked for a rest (429)',
  spent: 'spent: nothing left in a window',
  'vendor-down': 'the vendor is failing; its records are held',
  'vendor-recovering': 'one call tests whether the vendor is back',
  held: 'paused by an operator',
};

/** What `syncline budget` shows. */
export function printBudgets(terminal: Terminal, budgets: readonly { scope: BudgetView['scope']; view: BudgetView | null }[]): void {
  budgets.forEach(({ scope, view }, index) => {
    if (index > 0) terminal.line();
    const name = terminal.colours.bold(`${scope.vendor}/${scope.scope}`);
    if (!view) return terminal.line(`${name}  nothing spent yet`);
    const until = view.closedMs > 0 ? `, for about ${span(view.closedMs)}` : '';
    const colour = view.state === 'open' ? terminal.colours.green : terminal.colours.yellow;
    terminal.line(`${name}  ${colour(stateWords[view.state])}${until}; ${counted(view.workers, 'worker')} hold a lease`);
    terminal.line(windows(terminal, view));
    if (view.spenders.length > 0) terminal.line(spenders(terminal, view));
    const changed = [...view.held.map((what) => `${what} paused`), ...Object.entries(view.lanes).map(([sync, lane]) => `${sync} served as ${lane}`)];
    if (changed.length > 0) terminal.line(`  changed by an operator: ${changed.join(', ')}`);
  });
}

function windows(terminal: Terminal, view: BudgetView): string {
  const rows = view.windows.map((one) => {
    const part = one.limit === 0 ? 1 : (one.used + (one.kind === 'count' ? 0 : one.foreign)) / one.limit;
    const used = `${one.used} (${Math.round(part * 100)} %)`;
    const forecast = one.spentInMs !== null ? `spent in ~${span(one.spentInMs)}` : one.resetMs > 0 ? `free in ~${span(one.resetMs)}` : '';
    return [
      one.name,
      one.ms === 0 ? 'at once' : span(one.ms),
      part >= watchPart ? terminal.colours.yellow(used) : used,
      String(one.left),
      one.limit < one.max ? `${one.limit} of ${one.max}` : String(one.max),
      one.foreign > 0 ? String(one.foreign) : '',
      forecast,
    ];
  });
  return table(
    terminal,
    [{ head: 'window' }, { head: 'length' }, { head: 'used', align: 'right' }, { head: 'left', align: 'right' }, { head: 'limit', align: 'right' }, { head: 'others', align: 'right' }, { head: '' }],
    rows,
    2,
  );
}

function spenders(terminal: Terminal, view: BudgetView): string {
  const rows = view.spenders.map(({ sync, lane, today, waiting, refused, held }) => [
    sync,
    held ? `${lane} (paused)` : lane,
    String(today),
    String(waiting),
    refused > 0 ? terminal.colours.yellow(String(refused)) : '',
    view.shares[sync] === undefined ? '' : `${Math.round(view.shares[sync] * 100)} %`,
  ]);
  return table(terminal, [{ head: 'sync' }, { head: 'lane' }, { head: 'calls today', align: 'right' }, { head: 'waiting', align: 'right' }, { head: '429s', align: 'right' }, { head: 'share', align: 'right' }], rows, 2);
}
