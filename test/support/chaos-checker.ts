import type { RunLine } from '../../ledger/port';
import { isFailedOutcome, type AttemptEnd, type RecordOutcome } from '../../schemas/outcome';

/** One event as its provider knows it, with what must become of it. */
export interface SentEvent {
  syncId: string;
  workflowId: string;
  /** Key of the record it writes; null when it must not get so far. */
  key: string | null;
  /** Source time, epoch ms. Equal times go by arrival. */
  at: number;
  /** What the vendor is to hold of it. A value that only this event has makes its writes recognisable. */
  properties: Record<string, string>;
  /** Written when an optional enrichment answered; the same for all events of the key. */
  optional?: Record<string, string>;
  /** `landed`: written, or superseded by something newer. */
  expect: 'landed' | 'skipped' | 'invalid' | 'rejected';
  /** Deliveries tried. */
  posts: number;
  /** Deliveries answered 2xx. */
  acks: number;
}

/** One row of the inbox. `arrival`: microseconds since the epoch, as the fence orders by. */
export type LedgerRow = Pick<RunLine, 'workflowId' | 'state' | 'outcome' | 'attempts' | 'duplicates'> & { arrival: number };

/** One run in Temporal. */
export interface RunFacts {
  workflowId: string;
  runId: string;
  startedAt: number;
  /** Temporal's name of the status, e.g. `COMPLETED`. */
  status: string;
  /** Result, or details of the failure; null while there is none. */
  outcome: RecordOutcome | null;
  /** Workflow tasks that had to run again, as history tells: steps that a kill cut off. */
  interruptions: number;
}

/** A record at the simulated vendor, with its writes. */
export interface StoredRecord {
  key: string;
  properties: Record<string, string>;
  /** Number of writes. */
  version: number;
  history: { properties: Record<string, string> }[];
}

export interface ChaosRun {
  sent: SentEvent[];
  ledger: LedgerRow[];
  runs: RunFacts[];
  records: StoredRecord[];
}

export interface Problem {
  /** `lost`, `duplicate`, `order` (older over newer), `outcome`, `value` (the end state), `unknown` (nobody sent it). */
  kind: 'lost' | 'duplicate' | 'order' | 'outcome' | 'value' | 'unknown';
  /** Workflow id, or key of the record. */
  of: string;
  what: string;
}

/** Everything that is wrong with a run of events once it is over: between provider, ledger, Temporal and vendor. Pure. */
export function checkRun(run: ChaosRun): Problem[] {
  const facts = indexed(run);
  return [
    ...strangers(run, facts),
    ...run.sent.flatMap((event) => [...checkLedger(event, facts), ...checkRuns(event, facts), ...checkEffects(event, facts)]),
    ...run.records.flatMap((record) => checkRecord(record, facts)),
    ...checkPresence(run, facts),
  ];
}

/** Writes beyond the first of each event, over all records: what an ambiguous call costs. */
export function repeatedWrites(run: ChaosRun): number {
  const { writesOf } = indexed(run);
  return [...writesOf.values()].reduce((sum, writes) => sum + Math.max(0, writes - 1), 0);
}

/** Repeats that wrote a value the event's writes before did not: an optional enrichment answered this time. To the vendor they are no repeats. */
export function grownRepeats(run: ChaosRun): number {
  const facts = indexed(run);
  let grown = 0;
  for (const { key, history } of run.records) {
    const written = new Map<string, Set<string>>();
    for (const { properties } of history) {
      const writer = writerOf(key, properties, facts);
      if (!writer) continue;
      const before = written.get(writer.workflowId);
      if (before && Object.keys(properties).some((name) => !before.has(name))) grown++;
      written.set(writer.workflowId, new Set([...(before ?? []), ...Object.keys(properties)]));
    }
  }
  return grown;
}

interface Facts {
  rows: Map<string, LedgerRow[]>;
  runs: Map<string, RunFacts[]>;
  /** Events that may be written, by key. */
  events: Map<string, SentEvent[]>;
  sentIds: Set<string>;
  /** Writes seen at the vendor, by workflow id. */
  writesOf: Map<string, number>;
}

function indexed({ sent, ledger, runs, records }: ChaosRun): Facts {
  const rows = groupBy(ledger, ({ workflowId }) => workflowId);
  const byRun = groupBy(
    [...runs].sort((a, b) => a.startedAt - b.startedAt),
    ({ workflowId }) => workflowId,
  );
  const events = groupBy(
    sent.filter(({ expect }) => expect === 'landed'),
    ({ key }) => key ?? '',
  );
  const facts: Facts = { rows, runs: byRun, events, sentIds: new Set(sent.map(({ workflowId }) => workflowId)), writesOf: new Map() };
  for (const record of records) {
    for (const { properties } of record.history) {
      const writer = writerOf(record.key, properties, facts);
      if (writer) facts.writesOf.set(writer.workflowId, (facts.writesOf.get(writer.workflowId) ?? 0) + 1);
    }
  }
  return facts;
}

/** Rows and runs of events that nobody sent. */
function strangers({ ledger, runs }: ChaosRun, { sentIds }: Facts): Problem[] {
  const ids = new Set([...ledger, ...runs].map(({ workflowId }) => workflowId));
  return [...ids].filter((id) => !sentIds.has(id)).map((of) => ({ kind: 'unknown', of, what: 'a row or a run of an event that nobody sent' }));
}

/** Acknowledged = one row, closed, with the outcome it must have. */
function checkLedger(event: SentEvent, facts: Facts): Problem[] {
  const of = event.workflowId;
  if (event.acks === 0) return [{ kind: 'lost', of, what: `never acknowledged in ${event.posts} deliveries` }];
  const [row, ...more] = facts.rows.get(of) ?? [];
  if (!row) return [{ kind: 'lost', of, what: 'acknowledged, but the ledger has no row' }];
  const problems: Problem[] = [];
  if (more.length > 0) problems.push({ kind: 'duplicate', of, what: `${more.length + 1} rows in the ledger` });
  if (row.state !== 'closed' || row.outcome === null) return [...problems, { kind: 'lost', of, what: `no terminal outcome: the row is ${row.state}` }];
  const wrong = wrongOutcome(event, row, facts);
  if (wrong) problems.push({ kind: 'outcome', of, what: wrong });
  const repeats = row.duplicates + (facts.runs.get(of)?.length ?? 1);
  // A commit whose answer got lost counts at the inbox, not at the provider; more than it posted there can't be.
  if (repeats < event.acks) problems.push({ kind: 'duplicate', of, what: `${event.acks} deliveries acknowledged, ${repeats} counted` });
  if (row.duplicates >= event.posts) problems.push({ kind: 'duplicate', of, what: `${row.duplicates} duplicates counted of ${event.posts} deliveries` });
  return problems;
}

function wrongOutcome(event: SentEvent, row: LedgerRow, facts: Facts): string | null {
  const { outcome } = row;
  if (event.expect !== 'landed') return outcome === event.expect ? null : `${outcome}, expected ${event.expect}`;
  if (outcome === 'accepted' || outcome === 'verified') return null;
  if (outcome !== 'superseded') return `${outcome} after ${attemptsOf(event, facts)}, expected accepted or superseded`;
  const newer = sameSync(event, facts).filter((other) => isNewer(other, event, facts) && landed(other, facts));
  const uncovered = Object.keys(event.properties).filter((field) => !newer.some(({ properties }) => field in properties));
  return uncovered.length === 0 ? null : `superseded, though nothing newer that landed writes ${uncovered.join(', ')}`;
}

/** What its last run tried, in a few words. */
function attemptsOf({ workflowId }: SentEvent, { runs }: Facts): string {
  const attempts = runs.get(workflowId)?.at(-1)?.outcome?.attempts ?? [];
  return attempts.map(({ status, code }) => `${status ?? '-'} ${code}`).join(', ') || 'no attempt';
}

/** Temporal and the ledger tell the same story, and at most one run ended well. */
function checkRuns(event: SentEvent, facts: Facts): Problem[] {
  const of = event.workflowId;
  const runs = facts.runs.get(of) ?? [];
  const row = facts.rows.get(of)?.[0];
  const last = runs.at(-1);
  if (!last) return event.acks > 0 ? [{ kind: 'lost', of, what: 'Temporal has no run of it' }] : [];
  const problems: Problem[] = [];
  const good = runs.filter(({ status }) => status === 'COMPLETED').length;
  if (good > 1) problems.push({ kind: 'duplicate', of, what: `${good} runs ended well` });
  if (runs.length > event.posts) problems.push({ kind: 'duplicate', of, what: `${runs.length} runs of ${event.posts} deliveries` });
  if (!row?.outcome) return problems;
  const status = isFailedOutcome(row.outcome) ? 'FAILED' : 'COMPLETED';
  if (last.status !== status) problems.push({ kind: 'outcome', of, what: `the run is ${last.status}, the ledger says ${row.outcome}` });
  if (last.outcome?.outcome !== row.outcome) {
    problems.push({ kind: 'outcome', of, what: `the run ended ${last.outcome?.outcome ?? 'without an outcome'}, the ledger says ${row.outcome}` });
  } else if (last.outcome.attempts.length !== row.attempts) {
    problems.push({ kind: 'outcome', of, what: `${last.outcome.attempts.length} attempts in the run, ${row.attempts} in the ledger` });
  }
  return problems;
}

/** What landed was written; what was written again is declared by an attempt of unknown fate or an interrupted step. */
function checkEffects(event: SentEvent, facts: Facts): Problem[] {
  const of = event.workflowId;
  const writes = facts.writesOf.get(of) ?? 0;
  if (landed(event, facts) && writes === 0) return [{ kind: 'lost', of, what: 'accepted, but the vendor has seen no write of it' }];
  const runs = facts.runs.get(of) ?? [];
  const declared = runs.reduce((sum, { outcome, interruptions }) => sum + interruptions + (outcome?.attempts.filter(mayHaveLanded).length ?? 0), 0);
  if (writes > 1 + declared) return [{ kind: 'duplicate', of, what: `written ${writes} times; ${declared} repeats are accounted for` }];
  return [];
}

/** An attempt that says itself that nobody knows whether it took effect. */
function mayHaveLanded({ ambiguous, code, status }: AttemptEnd): boolean {
  return ambiguous === true || code === 'MISSING_RESULT' || (status ?? 0) >= 500;
}

/** The vendor's end state is the newest value of each field, and on the way there nothing older followed something newer. */
function checkRecord(record: StoredRecord, facts: Facts): Problem[] {
  const of = record.key;
  if (!facts.events.has(of)) return [{ kind: 'unknown', of, what: 'a record that no event writes' }];
  const problems: Problem[] = [];
  if (record.version > record.history.length) problems.push({ kind: 'unknown', of, what: 'more writes than the simulator remembers: cannot be checked' });
  const newest = new Map<string, SentEvent>();
  for (const { properties } of record.history) {
    const event = writerOf(of, properties, facts);
    if (!event) {
      problems.push({ kind: 'unknown', of, what: `a write that no event accounts for: ${Object.keys(properties).join(', ')}` });
      continue;
    }
    for (const field of Object.keys(properties).filter((name) => name in event.properties)) {
      const before = newest.get(field);
      if (before && isNewer(before, event, facts)) {
        problems.push({ kind: 'order', of, what: `${field}: ${event.workflowId} overwrote the newer ${before.workflowId}` });
      } else newest.set(field, event);
    }
  }
  for (const [field, value] of expectedState(of, facts)) {
    if (record.properties[field] !== value) problems.push({ kind: 'value', of, what: `${field} is not the newest value` });
  }
  return problems;
}

function checkPresence({ records }: ChaosRun, { events }: Facts): Problem[] {
  const there = new Set(records.map(({ key }) => key));
  return [...events.keys()].filter((key) => !there.has(key)).map((of) => ({ kind: 'lost', of, what: 'the record is missing at the vendor' }));
}

/** The newest value of every field that some event of the key writes. */
function expectedState(key: string, facts: Facts): Map<string, string> {
  const winners = new Map<string, SentEvent>();
  for (const event of facts.events.get(key) ?? []) {
    for (const field of Object.keys(event.properties)) {
      const winner = winners.get(field);
      if (!winner || isNewer(event, winner, facts)) winners.set(field, event);
    }
  }
  return new Map([...winners].map(([field, event]) => [field, event.properties[field] ?? '']));
}

/** The event a write came from: all that was written is its. Of several that fit (equal values), the newest. */
function writerOf(key: string, properties: Readonly<Record<string, string>>, facts: Facts): SentEvent | undefined {
  const written = Object.entries(properties).filter(([name]) => name !== 'email');
  const fitting = (facts.events.get(key) ?? []).filter((event) =>
    written.every(([name, value]) => event.properties[name] === value || event.optional?.[name] === value),
  );
  return fitting.reduce<SentEvent | undefined>((best, event) => (best && isNewer(best, event, facts) ? best : event), undefined);
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

function sameSync(event: SentEvent, { events }: Facts): SentEvent[] {
  return (events.get(event.key ?? '') ?? []).filter((other) => other.syncId === event.syncId);
}

function isNewer(a: SentEvent, b: SentEvent, facts: Facts): boolean {
  return a.at > b.at || (a.at === b.at && arrivalOf(a, facts) > arrivalOf(b, facts));
}

function arrivalOf({ workflowId }: SentEvent, { rows }: Facts): number {
  return rows.get(workflowId)?.[0]?.arrival ?? 0;
}

function landed({ workflowId }: SentEvent, { rows }: Facts): boolean {
  const outcome = rows.get(workflowId)?.[0]?.outcome;
  return outcome === 'accepted' || outcome === 'verified';
}
