import type { RunLine } from '../../../ledger/port';
import { isFailedOutcome } from '../../../schemas/outcome';
import { fetchTrace, type WorkflowTrace } from '../../history/fetch-trace';
import { CliError, exitCodes, type ExitCode } from '../cli-error';
import type { Answer, CliContext } from '../context';
import { fenceStates, type FenceState } from '../fence-state';
import { findAll } from '../find-records';
import { printTrace } from '../output/trace-text';
import { zone } from '../output/times';
import { redacted } from '../output/values';
import { counted, shellWord } from '../output/words';
import { webUi } from '../web-ui';
import { runsTable } from './runs';

export interface TraceOptions {
  redact?: boolean;
}

/** All that is known of one event: the ledger's row, Temporal's histories, the fence. */
export interface Findings {
  id: string;
  workflowId: string;
  line: RunLine | null;
  trace: WorkflowTrace | null;
  fence: FenceState[];
  /** Parts that could not be asked. */
  problems: CliError[];
  /** One Web UI address per run. */
  links: string[];
  redact: boolean;
}

/** `syncline trace <id>` */
export async function trace(context: CliContext, id: string, options: TraceOptions = {}): Promise<Answer> {
  const problems: CliError[] = [];
  const lines = await findAll(context, id, (question) => attempted(problems, question));
  const workflowIds = [...new Set(lines?.map((line) => line.workflowId))];
  if (workflowIds.length > 1) return several(id, lines ?? []);
  const workflowId = workflowIds[0] ?? id;
  const found = await attempted(problems, () => temporalTrace(context, workflowId));
  const line = lines?.at(-1) ?? null;
  if (!line && !found?.trace.runs.length) return notFound(id, problems);
  const fence = (await attempted(problems, () => fenceStates(context, id, line, found?.trace ?? null))) ?? [];
  const findings: Findings = {
    id,
    workflowId,
    line,
    trace: found?.trace ?? null,
    fence,
    problems,
    links: found?.links ?? [],
    redact: options.redact === true,
  };
  return { exitCode: exitCodeOf(findings), document: documentOf(findings), print: (terminal) => printTrace(terminal, findings) };
}

async function temporalTrace(context: CliContext, workflowId: string): Promise<{ trace: WorkflowTrace; links: string[] }> {
  const { client, namespace } = await context.temporal();
  const found = await fetchTrace(client, workflowId);
  return { trace: found, links: found.runs.map(({ runId }) => webUi(context.env, namespace, workflowId, runId)) };
}

/** One of the two sources may be away: the other still answers. */
async function attempted<T>(problems: CliError[], ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof CliError) || (error.exitCode !== exitCodes.unreachable && error.exitCode !== exitCodes.usage)) throw error;
    if (!problems.some(({ message }) => message === error.message)) problems.push(error);
    return null;
  }
}

function exitCodeOf({ problems, trace: found, line }: Findings): ExitCode {
  if (problems[0]) return problems[0].exitCode;
  const outcome = line?.outcome ?? found?.runs.at(-1)?.outcome?.outcome;
  const lost = found?.runs.at(-1)?.status;
  return line?.finding || (outcome && isFailedOutcome(outcome)) || lost === 'terminated' || lost === 'timed-out' ? exitCodes.badNews : exitCodes.ok;
}

function documentOf(findings: Findings): unknown {
  const { id, workflowId, line, trace: found, fence, links, problems, redact } = findings;
  const runs = found?.runs.map((run, index) => ({ ...run, webUi: links[index] })) ?? [];
  const last = runs.at(-1);
  const document = {
    id,
    workflowId,
    outcome: line?.outcome ?? last?.outcome?.outcome ?? null,
    event: line,
    runs: redact ? runs.map(redactRun) : runs,
    omittedRuns: found?.omitted ?? 0,
    waiting: found?.waiting ?? null,
    fence,
    pastRetention: found !== null && runs.length === 0 && line?.state !== 'new' && line?.state !== 'claimed',
    unreachable: problems.map(({ facts }) => facts),
  };
  return redact && id.includes('@') ? { ...document, id: null } : document;
}

function redactRun(run: WorkflowTrace['runs'][number] & { webUi: string | undefined }): unknown {
  const { event, outcome, steps, ...rest } = run;
  return {
    ...rest,
    event: event && { ...event, body: redacted(event.body) },
    outcome: outcome && withoutVendorWords(outcome),
    steps: steps.map((step) => {
      if (step.kind === 'mapped') return { ...step, key: step.keyHmac, input: redacted(step.input) };
      if (step.kind === 'enriched' && step.value !== undefined) return { ...step, value: redacted(step.value) };
      return step.kind === 'ended' ? { ...step, outcome: withoutVendorWords(step.outcome) } : step;
    }),
  };
}

function withoutVendorWords<T extends { vendorSaid?: Parameters<typeof redacted>[0] }>(outcome: T): T {
  return outcome.vendorSaid === undefined ? outcome : { ...outcome, vendorSaid: redacted(outcome.vendorSaid) };
}

function several(id: string, lines: RunLine[]): Answer {
  return {
    exitCode: exitCodes.ok,
    document: { id, matches: lines },
    print: (terminal) => {
      terminal.line(`${terminal.colours.bold(counted(lines.length, 'event'))} for this id, oldest first`);
      terminal.line();
      terminal.line(runsTable(terminal, lines));
      terminal.line();
      terminal.line(terminal.colours.dim(`times in ${zone(terminal.now())}`));
      const newest = lines.at(-1);
      if (newest) terminal.line(`${terminal.colours.dim('one of them, here the newest:')} npx syncline trace ${shellWord(newest.workflowId)}`);
    },
  };
}

function notFound(id: string, problems: readonly CliError[]): Answer {
  if (problems[0]) throw problems[0];
  throw new CliError({
    exitCode: exitCodes.badNews,
    what: id.includes('@') ? 'no event of this e-mail address is known' : 'nothing is known under this id',
    where: 'the ledger and Temporal',
    expected: 'an event id, a workflow id, an e-mail address or an external id, as the source or the mapping writes it',
    next: '`npx syncline runs` lists what came in; one that has just come in is found by its event id only',
  });
}
