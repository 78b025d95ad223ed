import type { WorkflowHandle } from '@temporalio/client';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { setTimeout as delay } from 'node:timers/promises';
import type { Activities } from '../../activities';
import type { TableHeldCause, TableRunInput, TableRunView } from '../../schemas/table';
import { decideRunUpdate, tableRunQuery } from '../../workflows/messages';
import { sampleCounts, sampleTableInput, sampleTablePlan, stubTableActivities } from '../support/sample-table-run';

/** One way a run of a table sync, or the tick that starts it, can go. */
export interface TableScenario {
  name: string;
  workflow: 'tableSync' | 'tableTick';
  input: TableRunInput;
  activities: Partial<Activities>;
  /** What happens to it from outside. */
  story?(handle: WorkflowHandle): Promise<void>;
  /** Recorded by an older version, which did otherwise: it can't be recorded again. */
  older?: true;
  /** A run is under way already when the tick comes. */
  busy?: boolean;
}

const waiting = async (handle: WorkflowHandle): Promise<TableRunView> => {
  for (;;) {
    const view = await handle.query(tableRunQuery);
    if (view.state === 'waiting') return view;
    await delay(20);
  }
};
const decide = (decision: 'approve' | 'reject') => async (handle: WorkflowHandle) => {
  const { runId } = await waiting(handle);
  await handle.executeUpdate(decideRunUpdate, { args: [{ runId, decision, reason: 'looked at it', by: 'tests' }] });
};
const massDelete = { planRun: async () => sampleCounts({ known: 1_000, added: 0, removed: 500, planned: 500, chunks: 3 }) };
const archiving = sampleTableInput({ plan: sampleTablePlan({ onRemove: 'archive' }) });

/** Holds the first chunk until it is cancelled, then says what a chunk says that stops early. */
const untilCancelled: Activities['sendChunk'] = async (input) => {
  if (input.chunk > 0) return stubTableActivities().sendChunk(input);
  const beat = setInterval(() => Context.current().heartbeat({}), 100);
  await Context.current().cancelled.catch(() => undefined);
  clearInterval(beat);
  return { kind: 'held', cause: 'slice', untilMs: Date.now() };
};
const heldOnce = (cause: TableHeldCause, ms: number): Activities['sendChunk'] => {
  const seen = new Set<number>();
  return async (input) => {
    if (input.chunk !== 1 || seen.has(1)) return stubTableActivities().sendChunk(input);
    seen.add(1);
    return { kind: 'held', cause, untilMs: Date.now() + ms };
  };
};

/** Each chunk is a job that is under way at the first look. More of them than a run has under way at a time. */
const jobs = (): Activities['sendChunk'] => {
  const seen = new Set<number>();
  return async (input) => {
    if (seen.has(input.chunk)) return { kind: 'done', end: { rows: 100, outcomes: { verified: 100 }, exceptions: [], more: 0, packed: '' } };
    seen.add(input.chunk);
    return { kind: 'held', cause: 'job', untilMs: Date.now() + 1_500 };
  };
};

/** Every branch of the workflows' code, once. */
export const tableScenarios: TableScenario[] = [
  { name: 'table-done', workflow: 'tableSync', input: sampleTableInput(), activities: {} },
  {
    name: 'table-nothing-to-do',
    workflow: 'tableSync',
    input: sampleTableInput(),
    activities: { planRun: async () => sampleCounts({ added: 0, unchanged: 250 }) },
  },
  { name: 'table-approved', workflow: 'tableSync', input: archiving, activities: massDelete, story: decide('approve') },
  { name: 'table-refused', workflow: 'tableSync', input: archiving, activities: massDelete, story: decide('reject') },
  {
    name: 'table-approval-expired',
    workflow: 'tableSync',
    input: sampleTableInput({ plan: sampleTablePlan({ onRemove: 'archive', guards: { ...sampleTablePlan().guards, expireAfterMs: 300 } }) }),
    activities: massDelete,
  },
  { name: 'table-held-by-breaker', workflow: 'tableSync', input: sampleTableInput(), activities: { sendChunk: heldOnce('breaker', 6_500) } },
  { name: 'table-paused', workflow: 'tableSync', input: sampleTableInput(), activities: { sendChunk: heldOnce('paused', 6_500) } },
  // A newer worker's chunk was paused, and a workflow that did not know the word went on with the others.
  {
    name: 'table-paused-for-an-older-workflow',
    workflow: 'tableSync',
    input: sampleTableInput(),
    activities: { sendChunk: heldOnce('paused', 6_500) },
    older: true,
  },
  {
    name: 'table-members-by-jobs',
    workflow: 'tableSync',
    input: sampleTableInput({ plan: sampleTablePlan({ onRemove: 'remove', membership: true }) }),
    activities: {
      planRun: async () => sampleCounts({ known: 10_000, added: 600, removed: 100, planned: 800, changed: 50, chunks: 8, firstChunks: 2 }),
      sendChunk: jobs(),
    },
  },
  { name: 'table-slices', workflow: 'tableSync', input: sampleTableInput(), activities: { sendChunk: heldOnce('slice', 0) } },
  {
    name: 'table-cancelled',
    workflow: 'tableSync',
    input: sampleTableInput(),
    activities: { sendChunk: untilCancelled },
    story: async (handle) => {
      while ((await handle.query(tableRunQuery)).chunksEnded < 2) await delay(20);
      await handle.cancel();
    },
  },
  {
    name: 'table-source-unknown',
    workflow: 'tableSync',
    input: sampleTableInput(),
    activities: {
      planRun: async () => {
        throw ApplicationFailure.create({ type: 'SOURCE_UNKNOWN', message: 'relation "customers" does not exist', nonRetryable: true });
      },
    },
  },
  {
    name: 'table-equation-broken',
    workflow: 'tableSync',
    input: sampleTableInput(),
    activities: { closeRun: async () => ({ planned: 250, outcomes: { accepted: 249 }, holds: false }) },
  },
  {
    name: 'table-carried-over',
    workflow: 'tableSync',
    input: sampleTableInput({
      carried: {
        runId: '20261122T100000-0badcafe',
        counts: sampleCounts(),
        sums: { nextChunk: 2, held: [{ chunk: 0, cause: 'lease', untilMs: 0 }], outcomes: { accepted: 100 }, ended: 100, chunksEnded: 1 },
        startedAtMs: Date.parse('2026-11-22T10:00:00Z'),
        again: null,
        approvals: [],
      },
    }),
    activities: {},
  },
  { name: 'tick-started', workflow: 'tableTick', input: sampleTableInput(), activities: {} },
  { name: 'tick-skipped', workflow: 'tableTick', input: sampleTableInput(), activities: { sendChunk: untilCancelled }, busy: true },
  {
    name: 'tick-buffered',
    workflow: 'tableTick',
    input: sampleTableInput({ plan: sampleTablePlan({ overlap: 'buffer' }) }),
    activities: { sendChunk: untilCancelled },
    busy: true,
  },
];
