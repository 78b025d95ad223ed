import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { AttemptsSeen } from './attempts';
import { decodeHistory, type PlainEvent } from './decode';
import { readRun } from './read-run';
import type { RunTrace } from './steps';
import { readWaiting, type Waiting } from './waiting';

/** All that Temporal still has of one workflow id. */
export interface WorkflowTrace {
  workflowId: string;
  /** Oldest first: the first start, what it continued as, every replay. Empty = past retention, or never started. */
  runs: RunTrace[];
  /** Set while the newest run is open. */
  waiting: Waiting | null;
  /** Runs between the first and the newest ones that were left out. */
  omitted: number;
}

/** A record that was replayed more often than this has a problem that more history does not explain. */
const maxRuns = 25;

/** Reads every run of a workflow id. An unknown id gives no runs. */
export async function fetchTrace(client: Client, workflowId: string): Promise<WorkflowTrace> {
  const ids = await runIds(client, workflowId);
  const histories = new Map<string, PlainEvent[]>();
  for (const runId of kept(ids)) await addChain(client, workflowId, runId, histories);
  const oldestFirst = [...histories].sort(([, a], [, b]) => startOf(a) - startOf(b));
  const seen = new AttemptsSeen();
  const runs = oldestFirst.map(([runId, events]) => readRun({ workflowId, runId }, events, seen));
  const last = runs.at(-1);
  const waiting = last?.status === 'running' ? await readWaiting(client, last) : null;
  if (last && waiting) addOpenAttempts(last, waiting, seen);
  return { workflowId, runs, waiting, omitted: Math.max(0, ids.length - maxRuns) };
}

/** From the index (some 1 s behind) and from the server's own pointer to the newest run. */
async function runIds(client: Client, workflowId: string): Promise<string[]> {
  const newest = await client.workflow
    .getHandle(workflowId)
    .describe()
    .catch((error: unknown) => {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    });
  if (!newest) return [];
  const runs = new Map([[newest.runId, newest.startTime.getTime()]]);
  for await (const run of client.workflow.list({ query: `WorkflowId = ${quoted(workflowId)}` })) {
    runs.set(run.runId, run.startTime.getTime());
  }
  return [...runs].sort(([, a], [, b]) => a - b).map(([runId]) => runId);
}

function kept(ids: readonly string[]): string[] {
  return ids.length <= maxRuns ? [...ids] : [...ids.slice(0, 1), ...ids.slice(1 - maxRuns)];
}

/** A run and, where the index missed them, the ones it continued from. */
async function addChain(client: Client, workflowId: string, runId: string, histories: Map<string, PlainEvent[]>): Promise<void> {
  for (let next = runId; next !== '' && !histories.has(next) && histories.size < maxRuns;) {
    const events = await eventsOf(client, workflowId, next);
    if (!events) return;
    histories.set(next, events);
    const previous = events[0]?.attributes['continuedExecutionRunId'];
    next = typeof previous === 'string' ? previous : '';
  }
}

async function eventsOf(client: Client, workflowId: string, runId: string): Promise<PlainEvent[] | null> {
  try {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    return await decodeHistory(history, client.options.loadedDataConverter);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** Attempts of an activity that has not ended yet stand in its heartbeats only. */
function addOpenAttempts(run: RunTrace, waiting: Waiting, seen: AttemptsSeen): void {
  const steps = waiting.activities.flatMap(({ attempts }) =>
    seen.fresh({ attempts }).map((attempt) => ({ at: Date.parse(attempt.at), kind: 'attempt' as const, attempt })),
  );
  run.steps.push(...steps);
}

function startOf(events: readonly PlainEvent[]): number {
  return events[0]?.at ?? 0;
}

/** A string in a visibility query. */
export function quoted(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
