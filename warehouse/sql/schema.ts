import type { Outcome } from '../../schemas/outcome';

/** Version of our tables in a warehouse; raised with a migration below. */
export const schemaVersion = 1;

/** Outcomes a row can end with: each is a column of `runs`. */
export const rowOutcomes = [
  'accepted',
  'verified',
  'skipped',
  'superseded',
  'rejected',
  'invalid',
  'expired',
  'failed',
  'cancelled',
  'unattributed',
] as const satisfies readonly Outcome[];

/** What `PlanCounts` and the columns of `runs` have in common. */
export const countColumns = [
  'rows_read',
  'rows_known',
  'added',
  'changed',
  'removed',
  'unchanged',
  'resent',
  'resting',
  'keys_null',
  'keys_duplicate',
  'keys_long',
  'planned',
  'chunks',
] as const;

/**
 * Our tables, documented in docs/reverse-etl.md. Users query them: columns are added, never renamed. `unique`: whether the
 * large tables get a primary key (DuckDB would hold it in memory, and has one writer anyway).
 */
export function createTables(schema: string, unique: boolean): string[] {
  // Each row is written once more, and wider, when it ends: with room on its page the index stays as it is (in PostgreSQL).
  const roomy = unique ? ' with (fillfactor = 40)' : '';
  const key = (columns: string) => (unique ? `, primary key (${columns})` : '');
  return [
    `create table if not exists ${schema}.runs (
      run_id text primary key, sync_id text not null, workflow_id text not null, state text not null, waiting_for text,
      is_full boolean not null, map_version integer not null,
      started_at timestamptz not null default now(), planned_at timestamptz, ended_at timestamptz,
      ${countColumns.map((column) => `${column} bigint`).join(', ')},
      ${rowOutcomes.map((outcome) => `${outcome} bigint`).join(', ')},
      equation_holds boolean, approvals text, matched_least double precision, matched_most double precision)`,
    `create table if not exists ${schema}.run_rows (
      run_id text not null, chunk integer not null, n integer not null, key text not null, op text not null, change text not null,
      fingerprint uuid, outcome text, code text, cause text, attempts integer not null default 0,
      sent_fingerprint uuid, target_key text, vendor_id text, ended_at timestamptz${key('run_id, chunk, n')})${roomy}`,
    `create table if not exists ${schema}.run_chunks (
      run_id text not null, chunk integer not null, op text not null, rows integer not null, finished boolean not null default false,
      lease text, lease_until timestamptz, job text, job_at timestamptz, primary key (run_id, chunk))`,
    `create table if not exists ${schema}.row_state (
      sync_id text not null, key text not null, fingerprint uuid not null, target_key text, vendor_id text,
      settled_at timestamptz not null, run_id text not null${key('sync_id, key')})`,
    ...(unique ? [`create index if not exists row_state_target on ${schema}.row_state (sync_id, target_key)`] : []),
    `create table if not exists ${schema}.rejected (
      sync_id text not null, key text not null, op text not null, fingerprint uuid, outcome text not null, code text not null, cause text not null,
      first_seen timestamptz not null, last_seen timestamptz not null, times integer not null, run_id text not null, primary key (sync_id, key))`,
    `create table if not exists ${schema}.suppression (
      sync_id text not null default '*', key text not null, asked_at timestamptz not null default now(), reason text not null default '', primary key (sync_id, key))`,
    `create table if not exists ${schema}.removals (
      sync_id text not null, key text not null, change text not null, asked_at timestamptz not null, removed_at timestamptz not null, outcome text not null,
      receipt text, run_id text not null)`,
    `create table if not exists ${schema}.warehouse_version (version integer not null, created_at timestamptz not null default now())`,
  ];
}
