import type { RunLine } from '../../../ledger/port';
import { isFailedOutcome, type TerminalOutcome } from '../../../schemas/outcome';
import { exitCodes } from '../cli-error';
import type { Answer, CliContext } from '../context';
import { type FilterOptions, filterWords, runFilter } from '../filter';
import { table, type Column } from '../output/table';
import { shortTime, zone } from '../output/times';
import { causeInWords, counted, outcomeColour, shellWord, stateOf } from '../output/words';
import type { Terminal } from '../terminal';

export interface RunsOptions extends FilterOptions {
  limit: number;
}

/** Counts of one outcome, with the codes behind it. */
interface OutcomeCount {
  outcome: TerminalOutcome | 'open';
  count: number;
  causes: { code: string; count: number }[];
}

/** `syncline runs`: what became of the events, from the ledger alone. */
export async function runs(context: CliContext, options: RunsOptions): Promise<Answer> {
  const filter = runFilter(context, options);
  const ledger = await context.ledger();
  const [counts, lines] = await Promise.all([ledger.queries.counts(filter), ledger.queries.runs({ ...filter, limit: options.limit })]);
  const outcomes = byOutcome(counts);
  const total = outcomes.reduce((sum, { count }) => sum + count, 0);
  const newestFirst = [...lines].sort((a, b) => b.receivedAt.localeCompare(a.receivedAt));
  const next = suggestions(newestFirst, options);
  return {
    exitCode: exitCodes.ok,
    document: { filter: options, total, outcomes, runs: newestFirst, next },
    print: (terminal) => {
      const words = filterWords(options);
      terminal.line(`${terminal.colours.bold(counted(total, 'event'))}${words ? ` (${words})` : ''}`);
      if (total === 0) return terminal.line(nothing(words));
      terminal.line();
      terminal.line(countsTable(terminal, outcomes));
      terminal.line();
      terminal.line(runsTable(terminal, newestFirst));
      terminal.line();
      const shown = newestFirst.length < total ? `newest ${newestFirst.length} of ${total} shown (--limit); ` : '';
      terminal.line(terminal.colours.dim(`${shown}times in ${zone(terminal.now())}`));
      for (const { why, command } of next) terminal.line(`${terminal.colours.dim(`${why}:`)} ${command}`);
    },
  };
}

function nothing(words: string): string {
  return words ? 'Nothing in the ledger fits. Widen the filter, or check the spelling of an e-mail or id.' : 'The ledger is empty: no event has come in yet.';
}

function byOutcome(counts: readonly { outcome: TerminalOutcome | 'open'; code: string | null; count: number }[]): OutcomeCount[] {
  const found = new Map<string, OutcomeCount>();
  for (const { outcome, code, count } of counts) {
    const entry = found.get(outcome) ?? { outcome, count: 0, causes: [] };
    entry.count += count;
    if (code !== null) entry.causes.push({ code, count });
    found.set(outcome, entry);
  }
  for (const entry of found.values()) entry.causes.sort((a, b) => b.count - a.count);
  return [...found.values()].sort((a, b) => b.count - a.count);
}

function countsTable(terminal: Terminal, outcomes: readonly OutcomeCount[]): string {
  const rows = outcomes.flatMap(({ outcome, count, causes }) => {
    const colour = outcomeColour(terminal.colours, outcome);
    const [first, ...others] = causes.map(({ code, count: ofCode }) => [String(ofCode), causeLabel(code)] as const);
    return [[{ text: outcome, colour }, count, first?.[1] ?? '', first?.[0] ?? ''], ...others.map(([ofCode, label]) => ['', '', label, ofCode])];
  });
  return table(terminal, [{ head: 'outcome' }, { head: 'count', align: 'right' }, { head: 'of which', shrink: 'end' }, { head: '', align: 'right' }], rows);
}

function causeLabel(code: string): string {
  const words = causeInWords({ code });
  return words === code ? code : `${code}: ${words}`;
}

const columns: readonly Column[] = [
  { head: 'received' },
  { head: 'sync', shrink: 'middle', min: 16 },
  { head: 'event', shrink: 'middle', min: 20 },
  { head: 'outcome' },
  { head: 'cause', shrink: 'end', min: 14 },
  { head: 'att.', align: 'right' },
  { head: 'dup.', align: 'right' },
  { head: 'enrichment' },
];

/** Also what `trace` shows when several events fit. The last column is left out when no row has anything to say in it. */
export function runsTable(terminal: Terminal, lines: readonly RunLine[]): string {
  const now = terminal.now();
  const withFallback = lines.some(({ fallback }) => fallback);
  const rows = lines.map((line) => [
    shortTime(Date.parse(line.receivedAt), now),
    line.syncId,
    line.eventId,
    { text: stateOf(line), colour: outcomeColour(terminal.colours, stateOf(line)) },
    causeInWords(line),
    line.attempts,
    line.duplicates,
    ...(withFallback ? [line.fallback ? 'fallback' : ''] : []),
  ]);
  return table(terminal, withFallback ? columns : columns.slice(0, -1), rows);
}

function suggestions(lines: readonly RunLine[], options: RunsOptions): { why: string; command: string }[] {
  const failed = lines.filter((line) => line.outcome !== null && isFailedOutcome(line.outcome));
  const newest = failed[0] ?? lines[0];
  if (!newest) return [];
  const first = {
    why: failed[0] ? 'why the newest failed one failed' : 'what happened to the newest',
    command: `npx syncline trace ${shellWord(newest.workflowId)}`,
  };
  const outcome = failed[0]?.outcome;
  if (!failed[0] || !outcome) return [first];
  const parts = [
    `--sync ${options.sync ?? failed[0].syncId}`,
    `--outcome ${outcome}`,
    ...(failed[0].code ? [`--cause ${shellWord(failed[0].code)}`] : []),
    ...(options.since ? [`--since ${options.since}`] : []),
  ];
  return [first, { why: 'send its like again, once the cause is gone', command: `npx syncline replay ${parts.join(' ')} --dry-run` }];
}
