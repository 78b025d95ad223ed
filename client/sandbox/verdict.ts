import type { DoorCount, Funnel, RunLine } from '../../ledger/port';
import { isFailedOutcome, type TerminalOutcome } from '../../schemas/outcome';
import type { SimulatedRecord } from './simulators';
import type { SentSample } from './traffic';

/** What became of one sample. */
export interface Fate {
  shows: string;
  source: string;
  topic: string;
  door: string;
  /** HTTP status of the answer. */
  status: number;
  syncId: string;
  workflowId: string;
  outcome: TerminalOutcome | 'open' | null;
  code: string | null;
  cause: string | null;
  attempts: number;
  fallback: boolean;
  /** Undefined: as it should be. */
  problem?: string;
}

/** The whole count: from what was sent to what stands in the vendor's records. */
export interface Verdict {
  ok: boolean;
  fates: Fate[];
  /** Each must balance. */
  equations: { left: Record<string, number>; right: Record<string, number>; holds: boolean }[];
  records: { expected: number; found: number };
  problems: string[];
}

/** Everything there is to know after the samples have ended. */
export interface Evidence {
  sent: readonly SentSample[];
  runs: readonly RunLine[];
  funnels: readonly Funnel[];
  door: readonly DoorCount[];
  records: readonly SimulatedRecord[];
}

/**
 * Judges a finished round of samples: nothing acknowledged may be missing from the ledger, nothing in the ledger without an
 * outcome, every fate and every record as expected.
 */
export function judge(evidence: Evidence): Verdict {
  const fates = evidence.sent.map((sample) => fateOf(sample, evidence.runs));
  const equations = equationsOf(evidence);
  const effects = effectProblems(evidence);
  const problems = [
    ...fates.flatMap(({ shows, problem }) => (problem === undefined ? [] : [`${shows}: ${problem}`])),
    ...equations.filter(({ holds }) => !holds).map(({ left, right }) => `does not balance: ${inWords(left)} = ${inWords(right)}`),
    ...effects,
  ];
  const expected = expectedRecords(evidence.sent).size;
  return { ok: problems.length === 0, fates, equations, records: { expected, found: evidence.records.length }, problems };
}

/** `received 18 = accepted 13 + skipped 2` */
export function inWords(sums: Record<string, number>): string {
  return (
    Object.entries(sums)
      .map(([name, count]) => `${name} ${count}`)
      .join(' + ') || 'nothing'
  );
}

function fateOf({ sample, answer }: SentSample, runs: readonly RunLine[]): Fate {
  const [run] = answer.runs;
  const line = runs.find(({ workflowId }) => workflowId === run?.workflowId);
  const door = run?.receipt ?? (answer.status < 300 ? 'ignored' : 'refused');
  const fate: Fate = {
    shows: sample.shows,
    source: sample.delivery.source.vendor,
    topic: sample.delivery.topic,
    door,
    status: answer.status,
    syncId: run?.syncId ?? '',
    workflowId: run?.workflowId ?? '',
    outcome: door === 'new' ? (line?.outcome ?? 'open') : null,
    code: line?.code ?? null,
    cause: line?.cause ?? null,
    attempts: door === 'new' ? (line?.attempts ?? 0) : 0,
    fallback: door === 'new' && (line?.fallback ?? false),
  };
  const problem = problemOf(sample, fate, line);
  return problem === undefined ? fate : { ...fate, problem };
}

function problemOf(sample: SentSample['sample'], fate: Fate, line: RunLine | undefined): string | undefined {
  if (fate.door !== sample.door) return `the gateway answered ${fate.status} (${fate.door}), expected ${sample.door}`;
  if (fate.door !== 'new') return undefined;
  if (!line) return `acknowledged as ${fate.workflowId}, but the ledger has no row of it`;
  if (fate.outcome !== sample.outcome) return `ended ${fate.outcome}${fate.code ? ` (${fate.code})` : ''}, expected ${sample.outcome}`;
  if (sample.code !== undefined && fate.code !== sample.code) return `ended ${fate.outcome} with ${fate.code ?? 'no code'}, expected ${sample.code}`;
  if (fate.attempts < (sample.minAttempts ?? 0)) return `${fate.attempts} attempts, expected at least ${sample.minAttempts}`;
  return undefined;
}

function equationsOf({ sent, funnels, door }: Evidence): Verdict['equations'] {
  const outcomes: Record<string, number> = {};
  for (const funnel of funnels) for (const [outcome, count] of Object.entries(funnel.outcomes)) outcomes[outcome] = (outcomes[outcome] ?? 0) + (count ?? 0);
  const sum = (field: 'received' | 'duplicates' | 'waitingToStart' | 'running') => funnels.reduce((total, funnel) => total + funnel[field], 0);
  const open = sum('waitingToStart') + sum('running');
  const atDoor = Object.fromEntries(
    door.map(({ reason }) => [reason, door.filter((one) => one.reason === reason).reduce((total, { count }) => total + count, 0)]),
  );
  const duplicates = sum('duplicates');
  // Every webhook of the samples carries one event that one sync wants, so that events and requests count alike.
  const requests = sent.reduce((total, { answer }) => total + answer.tries, 0);
  return [
    equation({ sent: requests }, { received: sum('received'), ...(duplicates > 0 ? { duplicate: duplicates } : {}), ...atDoor }),
    equation(
      { acknowledged: sent.flatMap(({ answer }) => answer.runs).filter(({ receipt }) => receipt !== 'duplicate').length },
      { received: sum('received') },
    ),
    equation({ received: sum('received') }, { ...outcomes, ...(open > 0 ? { open } : {}) }, open === 0),
  ];
}

function equation(left: Record<string, number>, right: Record<string, number>, otherwise = true): Verdict['equations'][number] {
  const total = (sums: Record<string, number>) => Object.values(sums).reduce((sum, count) => sum + count, 0);
  return { left, right, holds: otherwise && total(left) === total(right) };
}

/** What must stand in the CRM: all that was sent of a record, put together. */
function expectedRecords(sent: readonly SentSample[]): Map<string, Record<string, string>> {
  const expected = new Map<string, Record<string, string>>();
  for (const { sample } of sent) {
    if (!sample.lands) continue;
    const { email, properties } = sample.lands;
    expected.set(email, { email, ...expected.get(email), ...properties });
  }
  return expected;
}

function effectProblems({ sent, records }: Evidence): string[] {
  const expected = expectedRecords(sent);
  const found = new Map(records.map((record) => [record.key, record.properties]));
  const problems: string[] = [];
  for (const [key, properties] of expected) {
    const there = found.get(key);
    if (!there) problems.push(`the CRM has no record of ${key}`);
    const names = new Set([...Object.keys(properties), ...Object.keys(there ?? {})]);
    for (const name of there ? names : []) {
      if ((there?.[name] ?? '') !== (properties[name] ?? '')) {
        problems.push(`${key}: ${name} is ${JSON.stringify(there?.[name] ?? '')} in the CRM, expected ${JSON.stringify(properties[name] ?? '')}`);
      }
    }
  }
  for (const key of found.keys()) if (!expected.has(key)) problems.push(`the CRM has a record of ${key} that nothing should have made`);
  return problems;
}

/** The run that teaches most: one that somebody must act on. */
export function interesting(fates: readonly Fate[]): Fate | undefined {
  return fates.find(({ outcome }) => outcome !== null && outcome !== 'open' && isFailedOutcome(outcome)) ?? fates.find(({ attempts }) => attempts > 1);
}
