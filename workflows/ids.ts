/**
 * Every id and queue name, built here and nowhere else: an id format is the idempotency contract, kept by golden tests.
 * Pure, so that workflow code may use it; hashing is passed in because the sandbox has no crypto.
 */

import type { Lane } from '../schemas/plan';

/** Lower-case hex SHA-256 of a UTF-8 string. */
export type Sha256Hex = (text: string) => string;

/** Longest workflow id we make, bytes. Temporal takes 1,000; lists and URLs stay readable with fewer. */
const maxIdBytes = 200;

/** Workflows and light activities. */
export const mainTaskQueue = 'syncline';

/** The budgets: a queue of their own, so that no burst of records delays a lease. */
export const budgetTaskQueue = 'syncline-budget';

/** `<syncId>/<sourceAccount>/<eventId>`, parts percent-encoded; an event id that makes it too long is hashed. */
export function eventWorkflowId(event: { syncId: string; sourceAccount: string; eventId: string }, sha256Hex: Sha256Hex): string {
  const prefix = `${encodeURIComponent(event.syncId)}/${encodeURIComponent(event.sourceAccount)}/`;
  const id = prefix + encodeURIComponent(event.eventId);
  // Percent-encoded text is ASCII: characters are bytes.
  return id.length <= maxIdBytes ? id : `${prefix}sha256-${sha256Hex(event.eventId)}`;
}

/** Queue of one vendor account: `live` for single records, `bulk` for chunks. Never eager, so its order holds. */
export function vendorTaskQueue(vendor: string, account: string, kind: 'live' | 'bulk'): string {
  return `vendor/${encodeURIComponent(vendor)}/${encodeURIComponent(account)}/${kind}`;
}

/** The id of the entity that owns one budget. */
export function budgetWorkflowId(scope: { vendor: string; scope: string }): string {
  return `budget/${encodeURIComponent(scope.vendor)}/${encodeURIComponent(scope.scope)}`;
}

/** Queue of what must happen at a warehouse: diffs, books; of a DuckDB file, all there is. */
export function warehouseTaskQueue(name: string): string {
  return `warehouse/${encodeURIComponent(name)}`;
}

/** The run of a table sync, one at a time. */
export function tableRunWorkflowId(syncId: string): string {
  return `${encodeURIComponent(syncId)}/run`;
}

/** What its schedule starts; the schedule appends a time. */
export function tableTickWorkflowId(syncId: string): string {
  return `${encodeURIComponent(syncId)}/tick`;
}

/** The schedule itself. */
export function tableScheduleId(syncId: string): string {
  return `${encodeURIComponent(syncId)}/schedule`;
}

/** A lane's priority in a vendor's queue. Temporal's go from 1 (first) to 5. */
export const lanePriority: Readonly<Record<Lane, number>> = { live: 1, scheduled: 2, backfill: 4, replay: 5 };
