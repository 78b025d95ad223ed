import type { RunLine } from '../../../ledger/port';
import { failedOutcomes, isFailedOutcome, type TerminalOutcome } from '../../../schemas/outcome';
import { usageError } from '../cli-error';
import type { CliContext } from '../context';
import { type FilterOptions, runFilter } from '../filter';
import { findRecords } from '../find-records';

/** One event to be replayed, or refused with a reason. */
export interface Candidate {
  /** As typed, or the event's id when a filter chose it. */
  id: string;
  workflowId: string;
  /** Null: the ledger does not know it; Temporal may. */
  line: RunLine | null;
}

export interface Selection {
  candidates: Candidate[];
  /** How many fit; more than were taken when `--limit` cut. */
  fitting: number;
}

/** The events that ids or a filter choose; without an outcome, a filter means every failed one. Oldest first. */
export async function selectCandidates(context: CliContext, ids: readonly string[], options: FilterOptions & { limit: number }): Promise<Selection> {
  const { sync, outcome, cause, since, key } = options;
  const filtered = [sync, outcome, cause, since, key].some((option) => option !== undefined);
  if (ids.length > 0 && filtered)
    throw usageError('ids and a filter were given together', { where: 'replay', expected: 'either ids, or --sync, --outcome, --cause, --since, --key' });
  if (ids.length > 0) return byIds(context, ids);
  if (!filtered) {
    throw usageError('nothing was chosen', {
      where: 'replay',
      expected: 'ids (event ids or workflow ids), or a filter such as --sync <id> --outcome failed',
      next: '`npx syncline runs --outcome failed` lists candidates',
    });
  }
  if (outcome === 'open')
    throw usageError('an open event can’t be replayed: its first run is still under way', { where: '--outcome', expected: failedOutcomes.join(', ') });
  return byFilter(context, options);
}

async function byIds(context: CliContext, ids: readonly string[]): Promise<Selection> {
  const candidates = new Map<string, Candidate>();
  for (const id of new Set(ids)) {
    const lines = await findRecords(context, id);
    // An event that fans out, or a record with many events: those that failed are meant, unless there are none.
    const failed = lines.filter(({ outcome, finding }) => (outcome && isFailedOutcome(outcome)) || finding);
    for (const line of failed.length > 0 ? failed : lines) candidates.set(line.workflowId, { id, workflowId: line.workflowId, line });
    if (lines.length === 0) candidates.set(id, { id, workflowId: id, line: null });
  }
  return { candidates: [...candidates.values()], fitting: candidates.size };
}

async function byFilter(context: CliContext, options: FilterOptions & { limit: number }): Promise<Selection> {
  const { queries } = await context.ledger();
  const filter = runFilter(context, options);
  const wanted = options.outcome === undefined ? failedOutcomes.map((outcome: TerminalOutcome) => ({ ...filter, outcome })) : [filter];
  const lines: RunLine[] = [];
  let fitting = 0;
  for (const one of wanted) {
    lines.push(...(await queries.runs({ ...one, limit: options.limit })));
    fitting += (await queries.counts(one)).reduce((sum, { count }) => sum + count, 0);
  }
  const oldestFirst = lines.sort((a, b) => a.receivedAt.localeCompare(b.receivedAt)).slice(0, options.limit);
  return { candidates: oldestFirst.map((line) => ({ id: line.eventId, workflowId: line.workflowId, line })), fitting };
}
