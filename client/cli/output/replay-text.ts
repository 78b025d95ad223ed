import { isFailedOutcome } from '../../../schemas/outcome';
import type { Json } from '../../../schemas/json';
import type { ReplayResult } from '../commands/replay';
import type { FieldChange, Preview } from '../replay/preview';
import { printable, type Colours, type Terminal } from '../terminal';
import { cut, table, wrap } from './table';
import { valueLines } from './values';
import { causeInWords, counted, outcomeColour, shellWord } from './words';

/** More previews than this scroll away what they are to be compared with. */
const previewsShown = 10;

/** What a replay did, or would do. */
export function printReplay(terminal: Terminal, results: readonly ReplayResult[], options: { dryRun: boolean; waited: boolean; fitting: number }): void {
  const { colours } = terminal;
  if (results.length === 0) return terminal.line('Nothing fits: there is nothing to replay.');
  if (options.dryRun) printPreviews(terminal, results);
  else terminal.line(`${resultTable(terminal, results, options.waited)}\n`);
  terminal.line(totals(results, options, colours));
  const started = results.filter(({ result }) => result === 'started');
  if (started.length > 0 && !options.waited) terminal.line(`${colours.dim('follow one:')} npx syncline trace ${shellWord(started[0]?.workflowId ?? '')}`);
}

function resultTable(terminal: Terminal, results: readonly ReplayResult[], waited: boolean): string {
  const { colours } = terminal;
  const rows = results.map((result) => [
    result.id,
    result.syncId ?? '',
    { text: result.result, colour: result.result === 'refused' ? colours.red : colours.green },
    ...(waited ? [endCell(result, colours)] : []),
    result.reason ?? (result.end ? causeInWords(result.end) : ''),
  ]);
  return table(
    terminal,
    [
      { head: 'event', shrink: 'middle', min: 20 },
      { head: 'sync', shrink: 'middle', min: 16 },
      { head: 'result' },
      ...(waited ? [{ head: 'outcome' }] : []),
      { head: 'why', shrink: 'end', min: 20 },
    ],
    rows,
  );
}

function endCell({ end }: ReplayResult, colours: Colours) {
  const text = end === undefined ? '' : (end?.outcome ?? 'lost');
  return { text, colour: end ? outcomeColour(colours, end.outcome) : colours.red };
}

function printPreviews(terminal: Terminal, results: readonly ReplayResult[]): void {
  const { colours } = terminal;
  for (const { id, syncId, reason, preview } of results.slice(0, previewsShown)) {
    const verdict = reason ? colours.red('refused') : previewVerdict(preview, colours);
    terminal.line(`${colours.bold(printable(id))}  ${colours.dim(syncId ?? '')}  ${verdict}`);
    if (reason) for (const line of wrap(printable(reason), terminal.columns - 2)) terminal.line(`  ${line}`);
    if (preview) for (const line of previewLines(preview, terminal)) terminal.line(line);
    terminal.line();
  }
  if (results.length > previewsShown) terminal.line(colours.dim(`… ${results.length - previewsShown} more (--json shows all)`));
}

function previewVerdict(preview: Preview | undefined, colours: Colours): string {
  switch (preview?.kind) {
    case 'ready':
      return colours.green('would be sent');
    case 'skipped':
      return 'would be skipped';
    case 'invalid':
    case 'failed':
      return colours.red(`would end ${preview.kind} again`);
    case undefined:
      return 'would start';
  }
}

function previewLines(preview: Preview, terminal: Terminal): string[] {
  const { colours, columns: width } = terminal;
  if (preview.kind !== 'ready') return wrap(printable(preview.cause), width - 2).map((line) => `  ${line}`);
  const enrichment = {
    none: [],
    'as before': [colours.dim('  with the last run’s enrichment; the replay asks again')],
    fallback: [colours.dim('  with the enrichment’s fallback; the replay asks again')],
  }[preview.enrichment];
  if (preview.changes === null) return [...valueLines(preview.input, { colours, width, indent: 2 }), ...enrichment];
  if (preview.changes.length === 0)
    return [colours.dim('  the same values as before'), ...valueLines(preview.input, { colours, width, indent: 2 }), ...enrichment];
  return [...preview.changes.flatMap((change) => changeLines(change, terminal)), ...enrichment];
}

function changeLines(change: FieldChange, { colours, columns }: Terminal): string[] {
  const line = (sign: '-' | '+', value: Json | undefined, colour: (text: string) => string) =>
    value === undefined
      ? []
      : [colour(cut(`  ${sign} ${printable(change.field)}: ${printable(typeof value === 'string' ? value : JSON.stringify(value))}`, columns))];
  return [...line('-', change.before, colours.red), ...line('+', change.after, colours.green)];
}

function totals(
  results: readonly ReplayResult[],
  { dryRun, waited, fitting }: { dryRun: boolean; waited: boolean; fitting: number },
  colours: Colours,
): string {
  const refused = results.filter(({ result }) => result === 'refused').length;
  const taken = results.length - refused;
  const parts = [
    `${counted(taken, 'event')} ${dryRun ? 'would be started; nothing was' : 'started'}`,
    ...(refused > 0 ? [colours.red(`${refused} refused`)] : []),
  ];
  if (waited) {
    const bad = results.filter(({ end }) => end === null || (end && isFailedOutcome(end.outcome))).length;
    parts.push(bad > 0 ? colours.red(`${bad} failed again`) : 'none failed again');
  }
  if (fitting > results.length) parts.push(`${fitting - results.length} more fit (--limit)`);
  return parts.join(', ');
}
