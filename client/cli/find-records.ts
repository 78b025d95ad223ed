import type { RunLine } from '../../ledger/port';
import type { CliContext } from './context';

/** Enough to find a shortened id among; further back, the full id is needed. */
const shortenedIdsAmong = 5_000;
const limit = 200;

/**
 * The ledger's rows for what an operator typed: an event id, a workflow id, an id as lists shorten it (`abc…xyz`), an
 * e-mail address or an external id. Oldest first.
 */
export async function findRecords(context: CliContext, id: string): Promise<RunLine[]> {
  const { queries } = await context.ledger();
  const lines = id.includes('…') ? (await queries.runs({ limit: shortenedIdsAmong })).filter((line) => fitsShortened(line, id)) : await byIdOrKey(context, id);
  return lines.sort((a, b) => a.receivedAt.localeCompare(b.receivedAt));
}

async function byIdOrKey(context: CliContext, id: string): Promise<RunLine[]> {
  const { queries } = await context.ledger();
  const byId = id.includes('@') ? [] : await queries.runs({ id, limit });
  return byId.length > 0 ? byId : queries.runs({ keyHmacs: context.keyHmacs(id), limit });
}

function fitsShortened(line: RunLine, id: string): boolean {
  const [start = '', end = ''] = id.split('…');
  return [line.eventId, line.workflowId].some((full) => full.length >= start.length + end.length && full.startsWith(start) && full.endsWith(end));
}
