import type { Activities } from '../../activities';
import type { PlanCounts, TablePlan, TableRunInput, TableRunView } from '../../schemas/table';

/** The plan of a table sync, with changes. */
export function sampleTablePlan(change: Partial<TablePlan> = {}): TablePlan {
  return {
    syncId: 'customers-to-crm',
    owner: 'tests',
    contract: 'warehouse.customer@1',
    warehouse: { name: 'test', engine: 'postgres' },
    source: { table: 'customers', key: ['id'], columns: ['id', 'email'] },
    vendor: 'sample',
    account: 'main',
    operation: 'contacts.upsert',
    object: 'contact',
    maxBatch: 100,
    maxBatchBytes: 1_048_576,
    resend: 'safe',
    onRemove: 'ignore',
    mapVersion: 1,
    scopes: [{ vendor: 'sample', scope: 'main' }],
    retry: { maxAttempts: 5, initialIntervalMs: 100, maxIntervalMs: 60_000, expireAfterMs: 259_200_000 },
    budget: { lane: 'scheduled' },
    guards: { removedPart: 0.1, removedRows: 100, firstRows: 10_000, fullRows: 0, badKeysPart: 0.01, expireAfterMs: 259_200_000 },
    chunkRows: 100,
    chunksAtOnce: 2,
    overlap: 'skip',
    ...change,
  };
}

export function sampleTableInput(change: Partial<TableRunInput> = {}): TableRunInput {
  return { plan: sampleTablePlan(), ...change };
}

export function sampleCounts(change: Partial<PlanCounts> = {}): PlanCounts {
  const counts = {
    read: 250,
    known: 1_000,
    added: 250,
    changed: 0,
    removed: 0,
    unchanged: 0,
    resent: 0,
    resting: 0,
    badKeys: { null: 0, duplicate: 0, long: 0 },
    ...change,
  };
  const planned = change.planned ?? counts.added + counts.changed + counts.resent;
  return { ...counts, planned, chunks: change.chunks ?? Math.ceil(planned / 100) };
}

/** A run that has just begun, as it tells of itself. */
export function sampleTableView(change: Partial<TableRunView> = {}): TableRunView {
  return {
    runId: 'r1',
    syncId: 'people',
    state: 'planning',
    startedAtMs: 0,
    counts: null,
    outcomes: {},
    ended: 0,
    chunksEnded: 0,
    held: [],
    waitingFor: [],
    expiresAtMs: null,
    approvals: [],
    again: false,
    equation: null,
    ...change,
  };
}

/** Three chunks, every row accepted. */
export function stubTableActivities(): Pick<Activities, 'planRun' | 'sendChunk' | 'markRun' | 'closeRun'> {
  return {
    planRun: async () => sampleCounts(),
    sendChunk: async ({ chunk }) => {
      const rows = chunk === 2 ? 50 : 100;
      return { kind: 'done', end: { rows, outcomes: { accepted: rows }, exceptions: [], more: 0, packed: '' } };
    },
    markRun: async () => undefined,
    closeRun: async ({ outcomes }) => ({ planned: Object.values(outcomes).reduce((sum, rows) => sum + rows, 0), outcomes, holds: true }),
  };
}
