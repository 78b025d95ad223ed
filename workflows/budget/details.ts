import type { BudgetView } from './view';

/** The budget in Markdown, for the Web UI. */
export function details(view: BudgetView): string {
  const until = view.closedMs > 0 ? `, for about ${Math.ceil(view.closedMs / 1_000)} s` : '';
  const windows = view.windows.map(
    ({ name, ms, used, limit, max, foreign, left }) =>
      `| ${name} | ${ms === 0 ? 'at once' : `${ms / 1_000} s`} | ${used} | ${left} | ${limit}${limit < max ? ` of ${max}` : ''} | ${foreign} |`,
  );
  const spenders = view.spenders.map(({ sync, lane, today, waiting, refused, held }) => `| ${sync} | ${lane}${held ? ' (paused)' : ''} | ${today} | ${waiting} | ${refused} |`);
  return [
    `**${view.state}**${until}; ${view.workers} worker${view.workers === 1 ? '' : 's'}; as of ${view.at}`,
    ['| window | length | used | left | limit | others |', '|---|---|---|---|---|---|', ...windows].join('\n'),
    ...(spenders.length > 0 ? [['| sync | lane | calls today | waiting | 429s |', '|---|---|---|---|---|', ...spenders].join('\n')] : []),
  ].join('\n\n');
}
