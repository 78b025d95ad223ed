import { isFailedOutcome, type AttemptEnd } from '../../../schemas/outcome';
import type { HeldCause } from '../../../schemas/run';
import type { Step } from '../../history/steps';
import { printable, type Colours } from '../terminal';
import { wrap } from './table';
import { dateTime, preciseClock, span } from './times';
import { causeInWords, counted, outcomeColour } from './words';
import { valueLines } from './values';

export interface StepTextOptions {
  colours: Colours;
  width: number;
  redact: boolean;
}

/** Where a step's text begins: time, a column for what it is. */
const labelWidth = 12;
const indent = 2 + 12 + 2 + labelWidth + 1;

/** One step as lines: time, what it is, what there is to say, then its values. */
export function stepLines(step: Step, options: StepTextOptions): string[] {
  const { colours } = options;
  const { label, text, colour = plain, values } = describe(step, options);
  const words = wrap(printable(text), options.width - indent);
  const head = `  ${colours.dim(preciseClock(step.at))}  ${colour(label.padEnd(labelWidth))} ${words[0] ?? ''}`;
  return [head.trimEnd(), ...words.slice(1).map((line) => `${' '.repeat(indent)}${line}`), ...(values ?? [])];
}

interface StepText {
  label: string;
  text: string;
  colour?: (text: string) => string;
  values?: string[];
}

const plain = (text: string): string => text;

function describe(step: Step, options: StepTextOptions): StepText {
  const { colours, redact } = options;
  const valuesOf = (value: Parameters<typeof valueLines>[0]) => valueLines(value, { ...options, indent });
  switch (step.kind) {
    case 'received': {
      const { event } = step;
      return { label: 'received', text: `${event.topic} from ${event.source}/${event.account}, event ${event.id}${versionWords(event.version)}` };
    }
    case 'started':
      return { label: 'started', text: startedWords(step) };
    case 'mapped': {
      const who = redact ? step.keyHmac : step.key;
      return { label: 'mapped', text: `${who} (${counted(step.fields.length, 'field')})`, values: valuesOf(step.input) };
    }
    case 'skipped':
      return { label: 'skipped', text: step.reason };
    case 'invalid':
      return {
        label: 'invalid',
        text: causeInWords({ code: step.code }),
        colour: colours.red,
        values: step.violations.map(
          ({ field, expected, found }) => `${' '.repeat(indent)}${printable(`${field || '(body)'}: expected ${expected}, found ${found}`)}`,
        ),
      };
    case 'mapping-failed':
      return { label: 'not mapped', text: `${step.code}: ${step.cause}`, colour: colours.red };
    case 'enriched':
      return enrichedText(step, options, valuesOf);
    case 'attempt':
      return attemptText(step.attempt, colours);
    case 'held':
      return {
        label: 'held',
        text: `${heldWords[step.cause] ?? step.cause}${step.untilMs > step.at ? `, until about ${dateTime(step.untilMs)}` : ''}`,
        colour: colours.yellow,
      };
    case 'waited':
      return {
        label: step.tookMs === null ? 'waits' : 'waited',
        text: `${step.tookMs === null ? `up to ${span(step.forMs)}` : span(step.tookMs)}: ${step.what}`,
        colour: colours.yellow,
      };
    case 'activity':
      return activityText(step, colours);
    case 'signal':
      return { label: 'signal', text: step.name };
    case 'continued':
      return { label: 'goes on', text: `in run ${step.runId}, with a fresh history` };
    case 'operator':
      return { label: 'operator', text: `${step.what}${step.reason ? ` (${step.reason})` : ''}`, colour: colours.yellow };
    case 'ended':
      return endedText(step, options, valuesOf);
    case 'closed':
      return { label: step.status, text: step.problem ?? 'without an outcome', colour: colours.red };
    case 'other':
      return { label: 'other', text: step.type };
  }
}

function versionWords(version: { at: number } | null): string {
  return version ? `, version ${new Date(version.at).toISOString()}` : '';
}

function startedWords(step: Extract<Step, { kind: 'started' }>): string {
  const how = { event: 'first start', replay: 'replay', continued: 'continued', reset: 'reset' }[step.how];
  const { plan } = step;
  if (!plan) return how;
  const policy = `up to ${counted(plan.retry.maxAttempts, 'attempt')}, lane ${plan.budget.lane}`;
  return `${how}: contract ${plan.contract}, mapping ${plan.mapVersion}, to ${plan.vendor}/${plan.account} ${plan.operation}, ${policy}${step.resendEqual ? ', resend' : ''}`;
}

function enrichedText(
  step: Extract<Step, { kind: 'enriched' }>,
  options: StepTextOptions,
  valuesOf: (value: Parameters<typeof valueLines>[0]) => string[],
): StepText {
  const took = step.tookMs === undefined ? '' : ` after ${span(step.tookMs)}`;
  if (step.fallback) return { label: 'enrichment', text: `fell back to first-party data${took}: ${step.cause ?? 'no answer'}`, colour: options.colours.yellow };
  return { label: 'enrichment', text: `answered${took}`, values: valuesOf(step.value) };
}

function attemptText(attempt: AttemptEnd, colours: Colours): StepText {
  const { number, status, code, tookMs, waitMs, batch, cause, requestId, ambiguous } = attempt;
  const ok = code === 'OK';
  const parts = [
    `${status === null ? 'no answer' : status} ${code} in ${span(tookMs)}`,
    ...(batch > 1 ? [`shared by ${batch} records`] : []),
    ...(ambiguous ? ['may have taken effect'] : []),
    ...(waitMs > 0 ? [`next in ${span(waitMs)}`] : []),
    ...(requestId ? [`request ${requestId}`] : []),
  ];
  return { label: `attempt ${number}`, text: `${parts.join(', ')}${cause ? `: ${cause}` : ''}`, colour: ok ? colours.green : colours.yellow };
}

function activityText(step: Extract<Step, { kind: 'activity' }>, colours: Colours): StepText {
  const what = step.summary ?? step.name;
  const tries = step.attempts > 1 ? ` (try ${step.attempts})` : '';
  if (step.state === 'done' && step.name === 'recordOutcome') return { label: 'booked', text: 'the outcome stands in the ledger' };
  if (step.state === 'done' && step.problem === undefined) return { label: 'done', text: `${what}${tries}` };
  if (step.state === 'open') return { label: 'open', text: `${what}${tries}`, colour: colours.yellow };
  return { label: step.state, text: `${what}${tries}${step.problem ? `: ${step.problem}` : ''}`, colour: colours.red };
}

function endedText(
  step: Extract<Step, { kind: 'ended' }>,
  options: StepTextOptions,
  valuesOf: (value: Parameters<typeof valueLines>[0]) => string[],
): StepText {
  const { outcome, code, cause, vendorId, vendorSaid, violations } = step.outcome;
  // The step before has told them one by one.
  const why = violations?.length ? causeInWords(code === undefined ? {} : { code }) : (cause ?? (code ? causeInWords({ code }) : ''));
  const text = [...(code && code !== why ? [code] : []), ...(why ? [why] : []), ...(vendorId ? [`vendor id ${vendorId}`] : [])].join(': ');
  const said = vendorSaid === undefined ? [] : [`${' '.repeat(indent)}${options.colours.dim('the vendor said')}`, ...valuesOf(vendorSaid)];
  return { label: outcome, text, colour: outcomeColour(options.colours, outcome), values: isFailedOutcome(outcome) || said.length > 0 ? said : [] };
}

const heldWords: Readonly<Record<string, string>> = {
  budget: 'no permit from the budget yet',
  breaker: 'the vendor is failing; waiting for it to recover',
  paused: 'paused by an operator',
  'off-peak': 'waiting for the account’s off-peak hours',
  claim: 'another run is writing this record',
  ledger: 'the ledger (PostgreSQL) did not answer',
  shutdown: 'the worker stopped; going on elsewhere',
  approval: 'waiting for an approval',
} satisfies Record<HeldCause | 'approval', string>;
