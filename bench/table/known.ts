import { createPostgresWarehouse } from '../../warehouse';
import { compileTablePlan, type TableSync } from '../../syncs/define-table-sync';

/**
 * Makes every row of the source known, as if a run had sent it: the product's own plan and close, with all rows booked as accepted by one statement in
 * between. For the diff it makes no difference, and no million rows have to be sent first.
 */
export async function makeKnown(sync: TableSync, url: string, sql: (text: string) => Promise<unknown>): Promise<void> {
  const warehouse = createPostgresWarehouse({ name: 'main', url });
  const { syncId, source, mapVersion, chunkRows } = compileTablePlan(sync);
  const runId = 'known';
  try {
    await warehouse.plan({ syncId, runId, workflowId: runId, source, mapVersion, chunkRows, full: false, retryRejected: false, removals: false });
    await sql(
      `update syncline.run_rows set outcome = 'accepted', attempts = 1, sent_fingerprint = fingerprint, target_key = key, ended_at = now() where run_id = '${runId}'`,
    );
    await warehouse.close({ syncId, runId, state: 'done', open: 'failed', approvals: [] });
  } finally {
    await warehouse.stop();
  }
  await sql('vacuum analyze syncline.row_state');
}
