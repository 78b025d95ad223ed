import type { BudgetView } from './view';

/** The budget in Markdown, for the Web UI. */
export function details(view: BudgetView): string {
  const until = view.closedMs > 0 ? `, for about ${roughly(view.closedMs)}` : '';
  const windows = view.windows.map(
    (one) =>
      `| ${one.name}${one.high ? ' (high)' : ''} | ${one.ms === 0 ? 'at once' : `${one.ms / 1_000} s`} | ${one.used} | ${one.left} | ${one.limit}${one.limit < one.max ? ` of ${one.max}` : ''} | ${one.foreign} | ${one.refused} | ${forecast(one)} |`,
  );
  const spenders = view.spenders.map(
    ({ sync, lane, today, waiting, waitMs, refused, held }) =>
      `| ${sync} | ${lane}${held ? ' (paused)' : ''} | ${today} | ${waiting} | ${waiting === 0 || waitMs === null ? '' : `about ${roughly(waitMs)}`} | ${refused} |`,
  );
  const { offPeak } = view;
  return [
    `**${view.state}**${until}; ${view.workers} worker${view.workers === 1 ? '' : 's'}; as of ${view.at}`,
    ...(offPeak ? [`${offPeak.lanes.join(', ')} from ${offPeak.from} to ${offPeak.to} (${offPeak.timeZone}): ${offPeak.open ? 'now' : 'not now'}`] : []),
    ['| window | length | used | left | limit | others | 429s | forecast |', '|---|---|---|---|---|---|---|---|', ...windows].join('\n'),
    ...(view.refusedUnnamed > 0 ? [`429s today that named no window: ${view.refusedUnnamed}`] : []),
    ...(spenders.length > 0 ? [['| sync | lane | calls today | waiting | est. wait | 429s |', '|---|---|---|---|---|---|', ...spenders].join('\n')] : []),
  ].join('\n\n');
}

function forecast({ spentInMs, resetMs, usedAtReset, left, kept }: BudgetView['windows'][number]): string {
  if (kept > 0 && kept >= left) return `bulk waits: the last ${left} are kept`;
  if (resetMs > 0) return `free in about ${roughly(resetMs)}`;
  if (spentInMs !== null) return `spent in about ${roughly(spentInMs)}`;
  return usedAtReset === null ? '' : `about ${usedAtReset} by its end`;
}

function roughly(ms: number): string {
  if (ms < 120_000) return `${Math.ceil(ms / 1_000)} s`;
  return ms < 2 * 3_600_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}
