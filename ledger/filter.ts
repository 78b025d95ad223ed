import { findingOutcomes, terminalOutcomes } from '../schemas/outcome';
import { text } from './database';
import type { RunFilter } from './port';

/** The filter as a condition on `syncline.inbox`, with its parameters. */
export function filterSql(filter: Omit<RunFilter, 'limit'>): { where: string; values: unknown[] } {
  const values: unknown[] = [];
  const conditions: string[] = [];
  const param = (value: unknown) => `$${values.push(value)}`;
  if (filter.syncId !== undefined) conditions.push(`sync_id = ${param(text(filter.syncId))}`);
  if (filter.outcome !== undefined) conditions.push(outcomeCondition(filter.outcome, param));
  if (filter.code !== undefined) conditions.push(`code = ${param(text(filter.code))}`);
  if (filter.keyHmacs !== undefined) conditions.push(`key_hmacs && ${param([...filter.keyHmacs])}::text[]`);
  if (filter.sinceMs !== undefined) conditions.push(`received_at >= timestamptz 'epoch' + ${param(filter.sinceMs)}::float8 * interval '1 millisecond'`);
  if (filter.id !== undefined) {
    const id = param(text(filter.id));
    conditions.push(`(event_id = ${id} or workflow_id = ${id})`);
  }
  return { where: conditions.join(' and ') || 'true', values };
}

const open = `state <> 'closed'`;

function outcomeCondition(outcome: NonNullable<RunFilter['outcome']>, param: (value: unknown) => string): string {
  if (outcome === 'open') return open;
  if ((findingOutcomes as readonly string[]).includes(outcome)) return `finding = ${param(outcome)}`;
  if ((terminalOutcomes as readonly string[]).includes(outcome)) return `outcome = ${param(outcome)}`;
  // `held`, `cancelled`, `unattributed` exist inside runs of many only: no event ends so.
  return 'false';
}
