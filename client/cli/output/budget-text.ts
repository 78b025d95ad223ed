import { budgetName, type BudgetScope } from '../../../schemas/plan';
import type { BudgetView } from '../../../workflows/messages';
import type { Terminal } from '../terminal';
import { table, type Cell } from './table';
import { span } from './times';

/** From this part on a window is shown in yellow. */
const watchPart = 0.7;

/** Decimals that sum to one in words do so only nearly in numbers: no reason to speak of it. */
const almostAll = 0.999;

const stateWords: Record<BudgetView['state'], string> = {
  open: 'open',
  paused: 'paused: the vendor asked for a rest (429)',
  spent: 'spent: nothing left in a window',
  'vendor-down': 'the vendor is failing; its records are held',
  'vendor-recovering': 'one call tests whether the vendor is back',
  held: 'paused by an operator',
};

/** What `syncline budget` shows. */
export function printBudgets(terminal: Terminal, budgets: readonly { scope: BudgetScope; view: BudgetView | null }[]): void {
  budgets.forEach(({ scope, view }, index) => {
    if (index > 0) terminal.line();
    const name = terminal.colours.bold(budgetName(scope));
    if (!view) return terminal.line(`${name}  nothing spent yet`);
    const until = view.closedMs > 0 ? `, for about ${span(view.closedMs)}` : '';
    const colour = view.state === 'open' ? terminal.colours.green : terminal.colours.yellow;
    terminal.line(`${name}  ${colour(stateWords[view.state])}${until}; ${leases(view.workers)}`);
    terminal.line(windows(terminal, view));
    if (view.refusedUnnamed > 0) terminal.line(`  429s today that named no window: ${view.refusedUnnamed}`);
    if (view.spenders.length > 0) terminal.line(spenders(terminal, view));
    if (view.offPeak) terminal.line(`  ${hours(view.offPeak)}`);
    const changes = changesOf(view);
    if (changes.length > 0) terminal.line(`  changed by an operator: ${changes.join(', ')}`);
    const { shareScale = 1 } = view;
    if (shareScale < almostAll)
      terminal.line(
        terminal.colours.yellow(`  shares sum to ${percent(1 / shareScale)}: each is lowered to ${percent(shareScale)} of what was declared or set`),
      );
  });
}

/** What stays until an operator takes it back. */
export function changesOf({ held, lanes, changedShares = {} }: BudgetView): string[] {
  return [
    ...held.map((what) => `${what} paused`),
    ...Object.entries(lanes).map(([sync, lane]) => `${sync} served as ${lane}`),
    ...Object.entries(changedShares).map(([sync, share]) => `share of ${sync} set to ${percent(share)}`),
  ];
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`;
}

/** Workers lease permits while there is something to call; idle ones hold none. */
function leases(workers: number): string {
  return workers === 0 ? 'no worker is calling' : workers === 1 ? '1 worker holds a lease' : `${workers} workers hold a lease`;
}

function windows(terminal: Terminal, view: BudgetView): string {
  const rows = view.windows.map((one) => {
    const part = one.limit === 0 ? 1 : (one.used + (one.kind === 'count' ? 0 : one.foreign)) / one.limit;
    const used = `${one.used} (${Math.round(part * 100)} %)`;
    return [
      one.name,
      one.ms === 0 ? 'at once' : span(one.ms),
      part >= watchPart ? { text: used, colour: terminal.colours.yellow } : used,
      String(one.left),
      one.limit < one.max ? `${one.limit} of ${one.max}` : String(one.max),
      one.foreign > 0 ? String(one.foreign) : '',
      refusals(terminal, one.refused),
      [
        ...(one.high ? ['high'] : []),
        ...(one.leased > 0 ? [`${one.leased} of those used only leased`] : []),
        ...(one.kept > 0 ? [`${one.kept} kept from bulk`] : []),
        ...forecast(one),
      ].join('; '),
    ];
  });
  return table(
    terminal,
    [
      { head: 'window' },
      { head: 'length' },
      { head: 'used', align: 'right' },
      { head: 'left', align: 'right' },
      { head: 'limit', align: 'right' },
      { head: 'others', align: 'right' },
      { head: '429s', align: 'right' },
      { head: '' },
    ],
    rows,
    2,
  );
}

function refusals({ colours }: Terminal, count: number): Cell {
  return count > 0 ? { text: String(count), colour: colours.yellow } : '';
}

/** For long windows: when it is spent, or how much of it will be when it starts anew. */
function forecast({ spentInMs, resetMs, startsAnewMs, usedAtReset, limit, foreign }: BudgetView['windows'][number]): string[] {
  const anew = startsAnewMs === null ? [] : [`anew in ${span(startsAnewMs)}`];
  if (resetMs > 0) return [`free in ~${span(resetMs)}`];
  if (spentInMs !== null) return [`spent in ~${span(spentInMs)}`, ...anew];
  return usedAtReset === null ? [] : [`~${Math.round((100 * usedAtReset) / Math.max(1, limit + foreign))} % by its end`, ...anew];
}

function hours({ lanes, from, to, timeZone, open, changeMs }: NonNullable<BudgetView['offPeak']>): string {
  return `${lanes.join(', ')} send from ${from} to ${to} (${timeZone}): ${open ? 'now, for' : 'not now; in'} ${span(changeMs)}`;
}

/** How long what waits now will take; all of it estimates. */
function wait({ held, waiting, waitMs }: BudgetView['spenders'][number]): string {
  if (held) return 'until resumed';
  if (waiting === 0) return '';
  return waitMs === null ? 'unknown' : `~${span(waitMs)}`;
}

function spenders(terminal: Terminal, view: BudgetView): string {
  const rows = view.spenders.map((one) => [
    one.sync,
    one.held ? `${one.lane} (paused)` : one.lane,
    String(one.today),
    String(one.waiting),
    wait(one),
    refusals(terminal, one.refused),
    view.shares[one.sync] === undefined ? '' : percent(view.shares[one.sync]!),
  ]);
  return table(
    terminal,
    [
      { head: 'sync' },
      { head: 'lane' },
      { head: 'calls today', align: 'right' },
      { head: 'waiting', align: 'right' },
      { head: 'est. wait', align: 'right' },
      { head: '429s', align: 'right' },
      { head: 'share', align: 'right' },
    ],
    rows,
    2,
  );
}
