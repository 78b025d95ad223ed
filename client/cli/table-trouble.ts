import { ApplicationFailure, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import type { TableRunView } from '../../schemas/table';
import type { TableSync } from '../../syncs/define-table-sync';
import { warehouseVariable } from '../../syncs/warehouses-api';
import { isRunningSandbox, restartSandbox } from '../sandbox/running';
import { explainTable } from './commands/explain-table';
import { CliError } from './cli-error';
import type { CliContext } from './context';

/** Why a run of a table sync does not go on, or failed, and what to do about it. */
export interface RunTrouble {
  /** Stable. */
  code: string;
  why: string;
  next?: string;
}

/** It goes on by itself: nobody waits for a person's word. */
export function goesOn({ state }: Pick<TableRunView, 'state'>): boolean {
  return state === 'planning' || state === 'running' || state === 'closing';
}

/** What `syncline explain` says of a run while somebody works for it. */
const wellCauses = ['in-worker', 'under-way', 'cancelling', 'finished'];

/** Why a run that is under way does not go on, as `syncline explain` knows it; null = a worker is at it, or nobody can say. */
export async function stallOf(context: CliContext, sync: TableSync, view: TableRunView): Promise<RunTrouble | null> {
  let found: ExplainDocument;
  try {
    found = (await explainTable(context, sync)).document as ExplainDocument;
  } catch (error) {
    if (error instanceof CliError) return null;
    throw error;
  }
  const { cause, why, behind, next, queue } = found;
  // Before rows are sent there is no vendor whose turn it could wait for.
  if (wellCauses.includes(cause) || (cause === 'order' && view.state !== 'running')) return null;
  const last = behind.find((line) => line.startsWith('last: '));
  const advice = cause === 'no-worker' && queue ? workerAdvice(context, sync, queue.name) : next;
  return { code: cause, why: last === undefined ? why : `${why} (${last})`, ...(advice === undefined ? {} : { next: advice }) };
}

/** What is read of the document of `syncline explain`. */
interface ExplainDocument {
  cause: string;
  why: string;
  behind: string[];
  next?: string;
  queue: { name: string } | null;
}

function workerAdvice({ env }: CliContext, { from, to }: TableSync, queue: string): string {
  if (isRunningSandbox(env)) return restartSandbox;
  const { name, engine } = from.warehouse;
  const needs = queue.startsWith('warehouse/')
    ? warehouseVariable(name, engine === 'postgres' ? 'URL' : 'STATE')
    : `the credentials of ${to.operation.connector.vendor}/${to.account.name}`;
  return `restart the worker (npx syncline worker): it serves the syncs that were declared when it started; it needs ${needs}`;
}

/** What to mend, by the code a run failed with. */
const mending: Readonly<Record<string, string>> = {
  SOURCE_UNKNOWN: 'correct `from` of the sync (schema and table, or the query), or make the table',
  COLUMN_UNKNOWN: 'correct the key, the contract’s fields, `columns` or `consent` of the sync, or add the column to the source',
  COLUMN_TYPE: 'correct the column’s type in the source, or name another column in the sync',
  QUERY_INVALID: 'run the query by hand in the warehouse and correct it',
  WAREHOUSE_RIGHTS: 'give the warehouse’s role the right that is missing',
  EQUATION_BROKEN: 'report this: rows were lost from the count, compare syncline.run_rows with the run',
};

/** Why a run failed: what it said itself. Null when it did not fail, or nobody knows. */
export async function failureOf(handle: WorkflowHandle, { syncId }: Pick<TableRunView, 'syncId'>): Promise<RunTrouble | null> {
  try {
    await handle.result();
    return null;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { cause } = error;
    if (!(cause instanceof ApplicationFailure)) return null;
    const code = cause.type ?? 'FAILED';
    return { code, why: cause.message, next: `${mending[code] ?? 'mend it'}; then: npx syncline table run ${syncId}` };
  }
}
