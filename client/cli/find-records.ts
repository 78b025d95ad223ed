import type { RunLine } from '../../ledger/port';
import { quoted } from '../history/fetch-trace';
import type { CliContext } from './context';

/** Enough to find a part of an id among; further back, the full id is needed. */
const partsAmong = 5_000;
const limit = 200;

/**
 * The ledger's rows for what an operator typed: an event id, a workflow id, an e-mail address or an external id; among the
 * newest also an id as lists shorten it (`abc…xyz`), and the provider's part of an event id. Oldest first.
 */
export async function findRecords(context: CliContext, id: string): Promise<RunLine[]> {
  const exact = id.includes('…') ? [] : await byIdOrKey(context, id);
  const lines = exact.length > 0 ? exact : await byPart(context, id);
  return lines.sort((a, b) => a.receivedAt.localeCompare(b.receivedAt));
}

async function byIdOrKey(context: CliContext, id: string): Promise<RunLine[]> {
  const { queries } = await context.ledger();
  const byId = id.includes('@') ? [] : await queries.runs({ id, limit });
  return byId.length > 0 ? byId : queries.runs({ keyHmacs: context.keyHmacs(id), limit });
}

async function byPart(context: CliContext, id: string): Promise<RunLine[]> {
  const { queries } = await context.ledger();
  const fits = id.includes('…') ? fitsShortened : hasPart;
  return (await queries.runs({ limit: partsAmong })).filter((line) => fits(line, id));
}

/** How a source is asked; a caller that can do without one answers null for it. */
type Ask = <T>(question: () => Promise<T>) => Promise<T | null>;

/**
 * All rows for what an operator typed: those booked under it, and of a key also those still under way. An id names its event;
 * nothing more is asked for. null: the ledger was not to be asked.
 */
export async function findAll(context: CliContext, id: string, ask: Ask = (question) => question()): Promise<RunLine[] | null> {
  const booked = await ask(() => findRecords(context, id));
  if (!booked || booked.some((line) => line.eventId === id || line.workflowId === id)) return booked;
  return [...booked, ...((await ask(() => findUnderWay(context, id, booked))) ?? [])];
}

/**
 * Rows of records under way: the ledger learns a record's key when its run ends, Temporal when the run takes longer than a
 * moment. Only those that `known` lacks.
 */
async function findUnderWay(context: CliContext, id: string, known: readonly RunLine[]): Promise<RunLine[]> {
  const hmacs = context.keyHmacs(id);
  const { client } = await context.temporal();
  const { queries } = await context.ledger();
  const found: RunLine[] = [];
  const query = `SynclineKeys IN (${hmacs.map(quoted).join(', ')}) AND ExecutionStatus = 'Running'`;
  for await (const { workflowId } of client.workflow.list({ query })) {
    if (known.some((line) => line.workflowId === workflowId)) continue;
    found.push(...(await queries.runs({ id: workflowId, limit: 1 })));
  }
  return found;
}

/** Event ids are made of parts (`customers/update~1234~…`): what the provider shows is one of them. */
function hasPart({ eventId }: RunLine, id: string): boolean {
  return eventId.split(/[~:]/).includes(id);
}

function fitsShortened(line: RunLine, id: string): boolean {
  const [start = '', end = ''] = id.split('…');
  return [line.eventId, line.workflowId].some((full) => full.length >= start.length + end.length && full.startsWith(start) && full.endsWith(end));
}
