import { inWords, type Fate } from '../../sandbox/verdict';
import { table } from '../output/table';
import { outcomeColour } from '../output/words';
import type { Terminal } from '../terminal';
import type { Round } from './start-once';
import { funnelText } from './start-text';

/** The ledger of a finished round, for a person: each fate, the funnel, the equations, the verdict. */
export function onceText(terminal: Terminal, { verdict, funnel, seconds }: Round & { seconds: number }): string {
  const { colours } = terminal;
  const mark = (ok: boolean) => (ok ? colours.green('✓') : colours.red('✗'));
  const { records, equations, problems } = verdict;
  return [
    '',
    colours.bold('Every webhook and its fate'),
    fatesTable(terminal, verdict.fates),
    '',
    colours.bold('Funnel'),
    funnelText(terminal, funnel),
    '',
    colours.bold('Equation'),
    ...equations.map(({ left, right, holds }) => `  ${mark(holds)} ${inWords(left)} = ${inWords(right)}`),
    `  ${mark(records.expected === records.found)} HubSpot, simulated: ${records.found} contacts, ${records.expected} expected`,
    '',
    ...(problems.length > 0 ? [colours.bold('What is wrong'), ...problems.map((problem) => `  ${colours.red('✗')} ${problem}`), ''] : []),
    verdict.ok
      ? `${colours.green('ok')}: nothing lost, nothing open, every effect as expected (${seconds.toFixed(1)} s)`
      : `${colours.red('NOT OK')}: ${problems.length} of the above do not fit (${seconds.toFixed(1)} s)`,
  ].join('\n');
}

function fatesTable(terminal: Terminal, fates: readonly Fate[]): string {
  const columns = [
    { head: 'what happens', shrink: 'end' as const, min: 40 },
    { head: 'at the door' },
    { head: 'outcome' },
    { head: 'tries', align: 'right' as const },
    { head: 'why', shrink: 'end' as const, min: 16 },
  ];
  const rows = fates.map((fate) => {
    const colour = fate.problem ? terminal.colours.red : outcomeColour(terminal.colours, fate.outcome ?? '');
    const why = fate.problem ?? fate.code ?? (fate.fallback ? 'without enrichment' : '');
    return [fate.shows, `${fate.status} ${fate.door}`, { text: fate.outcome ?? '–', colour }, fate.attempts > 0 ? fate.attempts : '', why];
  });
  return table(terminal, columns, rows, 2);
}
