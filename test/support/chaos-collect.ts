import { setTimeout as delay } from 'node:timers/promises';
import { Client as PgClient } from 'pg';
import { decodeHistory, isObject, type PlainEvent } from '../../client/history/decode';
import type { RecordOutcome } from '../../schemas/outcome';
import type { ChaosRun, LedgerRow, RunFacts } from './chaos-checker';
import type { FakeProvider } from './chaos-provider';
import type { Stack } from './stack';

/** Waits until `condition` holds. The message says for what, and what it saw last. */
export async function until<T>(what: string, condition: () => Promise<T | false | null | undefined> | T | false | null | undefined, ms = 60_000): Promise<T> {
  const deadline = Date.now() + ms;
  let last: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value !== false && value !== null && value !== undefined) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`after ${ms} ms still waiting: ${what} (last: ${last instanceof Error ? last.message : JSON.stringify(last)})`);
    await delay(50);
  }
}

/** Calls that are at the simulator now: arrived, not answered. */
export async function callsInFlight(stack: Pick<Stack, 'hubspot'>): Promise<number> {
  const { calls, byStatus } = await stack.hubspot.stats();
  return calls - Object.values(byStatus as Record<string, number>).reduce((sum, count) => sum + count, 0);
}

/** Everything the checker looks at, read from its owners: inbox, Temporal's histories, vendor. */
export async function collect(stack: Stack, provider: FakeProvider): Promise<ChaosRun> {
  const sent = provider.sent();
  const [ledger, runs, records] = await Promise.all([
    ledgerRows(stack),
    allRuns(stack, new Set(sent.map(({ workflowId }) => workflowId))),
    stack.hubspot.records(),
  ]);
  return { sent, ledger, runs, records };
}

async function ledgerRows(stack: Stack): Promise<LedgerRow[]> {
  const pg = new PgClient({ connectionString: stack.env.SYNCLINE_DATABASE_URL ?? '' });
  await pg.connect();
  try {
    const { rows } = await pg.query(`select workflow_id as "workflowId", state, outcome, attempts, duplicates,
      (extract(epoch from received_at) * 1000000)::float8 as arrival from syncline.inbox order by id`);
    return rows as LedgerRow[];
  } finally {
    await pg.end();
  }
}

/** Budgets are workflows too, and never end. */
export const eventRuns = { query: `WorkflowType = 'recordSync'` };

async function listRuns(stack: Stack): Promise<{ workflowId: string; runId: string; startedAt: number; status: string }[]> {
  const runs: Awaited<ReturnType<typeof listRuns>> = [];
  for await (const { workflowId, runId, startTime, status } of stack.client.workflow.list(eventRuns)) {
    runs.push({ workflowId, runId, startedAt: startTime.getTime(), status: status.name });
  }
  return runs;
}

/**
 * A step of a worker that is killed after it wrote, and before it said so, runs again when its time is up: half a minute, and more
 * where it was the second to be killed.
 */
const closedWithinMs = 90_000;

/** Every run, by its history. The index may lag behind: waited for until it knows all ids and no open run. */
async function allRuns(stack: Stack, ids: ReadonlySet<string>): Promise<RunFacts[]> {
  const listed = await until(
    'every run is closed in Temporal’s index',
    async () => {
      const runs = await listRuns(stack);
      const known = new Set(runs.map(({ workflowId }) => workflowId));
      return [...ids].every((id) => known.has(id)) && runs.every(({ status }) => status !== 'RUNNING') && runs;
    },
    closedWithinMs,
  ).catch(() => listRuns(stack)); // let the checker say which ones
  const facts: RunFacts[] = [];
  const queue = listed.filter(({ status }) => status !== 'CONTINUED_AS_NEW');
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let run = queue.shift(); run; run = queue.shift()) facts.push({ ...run, ...(await historyFacts(stack, run)) });
    }),
  );
  return facts;
}

/** How the run ended and which of its steps were cut off, by its own history. */
export async function historyFacts(stack: Stack, run: { workflowId: string; runId: string }): Promise<Pick<RunFacts, 'outcome' | 'interruptions'>> {
  const events = await readHistory(stack, run);
  const last = events.at(-1);
  // History keeps the first attempt of a workflow task that failed, and the last: that one tells how many there were.
  const interruptions = events.reduce((sum, { type, attributes }) => sum + (type === 'workflowTaskScheduled' ? Number(attributes['attempt'] ?? 1) - 1 : 0), 0);
  return { outcome: outcomeOf(last), interruptions };
}

export async function readHistory(stack: Stack, { workflowId, runId }: { workflowId: string; runId?: string }): Promise<PlainEvent[]> {
  const history = await stack.client.workflow.getHandle(workflowId, runId).fetchHistory();
  return decodeHistory(history, stack.client.options.loadedDataConverter);
}

function outcomeOf(end: PlainEvent | undefined): RecordOutcome | null {
  if (end?.type === 'workflowExecutionCompleted') return first(end.attributes['result']);
  if (end?.type !== 'workflowExecutionFailed') return null;
  const { failure } = end.attributes as { failure?: { applicationFailureInfo?: { details?: unknown } } };
  return first(failure?.applicationFailureInfo?.details);
}

function first(value: unknown): RecordOutcome | null {
  const one: unknown = Array.isArray(value) ? value[0] : value;
  return isObject(one) && typeof one['outcome'] === 'string' ? (one as unknown as RecordOutcome) : null;
}

/** Calls that the runs' attempts account for: each call once, however many records shared it. */
export function callsInHistory(runs: readonly RunFacts[]): number {
  return runs.flatMap(({ outcome }) => outcome?.attempts ?? []).reduce((sum, { batch, code }) => sum + (code === 'LOST' ? 0 : 1 / batch), 0);
}

/** What is still open and where it stands, for the message of a test that waited in vain. */
export async function openEvents(stack: Stack): Promise<string> {
  const lines = await stack.ledger.queries.runs({ outcome: 'open', limit: 10_000 });
  // Listed newest first: the oldest have waited longest.
  const told = lines.slice(-4).map(async ({ workflowId, receivedAt, state }) => {
    const events = await readHistory(stack, { workflowId }).catch((error: unknown) => [{ type: String(error), at: 0, attributes: {} }]);
    const steps = events.map(({ type, at, attributes }) => `${new Date(at).toISOString().slice(11, 23)} ${type} ${JSON.stringify(attributes).slice(0, 300)}`);
    const pending = await stack.client.workflow
      .getHandle(workflowId)
      .describe()
      .then(({ raw }) => JSON.stringify({ task: raw.pendingWorkflowTask, activities: raw.pendingActivities }))
      .catch(String);
    return [`${workflowId}, received ${receivedAt}, is ${state}`, ...steps, pending].join('\n  ');
  });
  return (await Promise.all(told)).join('\n');
}
