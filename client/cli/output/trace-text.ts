import type { Findings } from '../commands/trace';
import type { FenceState } from '../fence-state';
import { isFailedOutcome } from '../../../schemas/outcome';
import type { RunTrace } from '../../history/steps';
import type { PendingActivity, Waiting } from '../../history/waiting';
import { printable, type Terminal } from '../terminal';
import { stepLines } from './step-text';
import { pairs } from './table';
import { dateTime, relative, zone } from './times';
import { causeInWords, outcomeColour, shellWord, stateOf } from './words';

/** A trace for a person: what it is, how it ended, every step of every run, what to do next. */
export function printTrace(terminal: Terminal, findings: Findings): void {
  const { colours } = terminal;
  const { line, trace, links, workflowId } = findings;
  terminal.line(colours.bold(printable(line ? `${line.syncId}: ${line.topic}` : workflowId)));
  terminal.line(pairs(terminal, summary(terminal, findings)));
  const runs = trace?.runs ?? [];
  runs.forEach((run, index) => {
    terminal.line();
    terminal.line(colours.bold(runHeading(run, index, runs.length)));
    for (const step of run.steps) for (const text of stepLines(step, { colours, width: terminal.columns, redact: findings.redact })) terminal.line(text);
    if (index === 0 && trace?.omitted) terminal.line(colours.dim(`  … ${trace.omitted} runs left out here`));
  });
  if (trace?.waiting) printWaiting(terminal, trace.waiting);
  if (links.length > 0) terminal.line();
  for (const link of links.slice(-1)) terminal.line(`${colours.dim('history')}  ${link}`);
  for (const { facts } of findings.problems)
    terminal.note(colours.yellow(`warning: ${facts.what} at ${facts.where ?? 'its address'}: this trace is not complete`));
  for (const hint of hints(findings)) terminal.line(`${colours.dim(`${hint.why}:`)} ${hint.command}`);
}

type Entry = [name: string, value: string, colour?: (text: string) => string];

function summary(terminal: Terminal, { workflowId, line, trace, fence }: Findings): Entry[] {
  const now = terminal.now();
  const last = trace?.runs.at(-1);
  const state = line ? stateOf(line) : (last?.outcome?.outcome ?? last?.status ?? 'unknown');
  const cause = line?.outcome ? causeInWords(line) : (last?.outcome?.cause ?? '');
  const code = line?.code ?? last?.outcome?.code;
  const why = [...(code && code !== cause ? [code] : []), ...(cause ? [printable(cause)] : [])].join(': ');
  const received = line ? Date.parse(line.receivedAt) : last?.event ? Date.parse(last.event.receivedAt) : null;
  return [
    ['workflow', printable(workflowId)],
    ['outcome', `${state}${why ? `: ${why}` : ''}`, outcomeColour(terminal.colours, state)],
    ...(received === null
      ? []
      : [
          [
            'received',
            `${dateTime(received)}, ${relative(received, now)}${line && line.duplicates > 0 ? `; delivered ${line.duplicates + 1} times` : ''}`,
          ] as Entry,
        ]),
    ...(line?.closedAt ? [['closed', dateTime(Date.parse(line.closedAt))] as Entry] : []),
    ...(line
      ? [
          [
            'attempts',
            `${Math.max(line.attempts, line.outcome ? 0 : attemptsOf(last))} HTTP${line.fallback ? ', enrichment fell back to first-party data' : ''}`,
          ] as Entry,
        ]
      : []),
    ...fence.map((row) => ['landed', fenceWords(row)] as Entry),
    ...historyNote(trace?.runs.length ?? null, line?.state ?? null, line?.hasBody ?? false),
    ['times', `in ${zone(now)}`],
  ];
}

/** The ledger learns of attempts when the run ends. */
function attemptsOf(run: RunTrace | undefined): number {
  return run?.steps.filter((step) => step.kind === 'attempt').length ?? 0;
}

function fenceWords(row: FenceState): string {
  const where = `${row.object} ${row.vendorId ?? ''} at ${row.vendor}/${row.account}`.replace(/ +/g, ' ');
  const when = row.landedAt ? dateTime(Date.parse(row.landedAt)) : '';
  switch (row.landed) {
    case 'this':
      return printable(`this version, ${when} (${where})`);
    case 'newer':
      return printable(`a newer version of the record, ${when} (${where})`);
    case 'older':
      return printable(`not this version; an older one stands since ${when} (${where})`);
    case 'none':
      return printable(`nothing yet (${where})`);
    case 'unknown':
      return printable(`version ${new Date(row.version.at).toISOString()}, ${when} (${where})`);
  }
}

function historyNote(runs: number | null, state: string | null, hasBody: boolean): Entry[] {
  if (runs !== 0) return [];
  if (state === 'new' || state === 'claimed') return [['history', 'none yet: the event waits in the inbox for its start (is a worker running?)']];
  const body = hasBody ? 'the event itself is kept and can be replayed' : 'its body was dropped when it was done';
  return [['history', `past retention: Temporal no longer has it. Above is what the ledger knows; ${body}`]];
}

function runHeading(run: RunTrace, index: number, total: number): string {
  const how = { event: 'first start', replay: 'replay', continued: 'continued', reset: 'reset' }[run.how];
  return `${total > 1 ? `Run ${index + 1} of ${total}` : 'Run'}: ${how}, ${dateTime(run.startedAt)} (${run.runId})`;
}

function printWaiting(terminal: Terminal, waiting: Waiting): void {
  const { colours } = terminal;
  const now = terminal.now();
  terminal.line();
  terminal.line(colours.bold('Still open'));
  if (waiting.causes.length > 0 && !waiting.details) terminal.line(`  held: ${waiting.causes.join(', ')}`);
  if (waiting.details) terminal.line(`  ${printable(waiting.details.replaceAll('**', ''))}`);
  else terminal.line(colours.dim('  the run itself did not answer: no worker, or a busy one'));
  for (const activity of waiting.activities) terminal.line(`  ${printable(pendingWords(activity, now))}`);
}

function pendingWords(activity: PendingActivity, now: number): string {
  const { name, state, attempt, queue, scheduledAt, nextAttemptAt, lastFailure } = activity;
  const since = scheduledAt === null ? '' : `, scheduled ${relative(scheduledAt, now)}`;
  const words = {
    queued: `${name} waits in queue ${queue} for budget or a worker${since}`,
    running: `${name} is running (try ${attempt})${since}`,
    'backing-off': `${name} waits for try ${attempt}, ${nextAttemptAt === null ? 'soon' : relative(nextAttemptAt, now)}`,
    paused: `${name} was paused by an operator${since}`,
    cancelling: `${name} is being cancelled`,
  }[state];
  return `${words}${lastFailure ? `; last: ${lastFailure}` : ''}`;
}

function hints({ line, trace, workflowId }: Findings): { why: string; command: string }[] {
  const outcome = line?.outcome ?? trace?.runs.at(-1)?.outcome?.outcome;
  if (!outcome || !isFailedOutcome(outcome)) return [];
  return [{ why: 'send it again, once the cause is gone', command: `npx syncline replay ${shellWord(workflowId)} --dry-run` }];
}
