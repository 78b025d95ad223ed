import type { Operation } from '../../connectors/connector';
import type { OpenRow, RowEnd } from '../../warehouse/port';
import type { TableSync } from '../../syncs/define-table-sync';
import { checkInput, mapBody, type Mapped } from '../map-body';

/** A row on its way to a vendor call. */
export interface RowItem {
  row: OpenRow;
  /** At the vendor, in its normal form: never two of one in one call. */
  key: string;
  input: unknown;
  /** Bytes of JSON. */
  size: number;
  attempts: number;
  /** Rows it may share a call with, itself included. */
  cap: number;
  /** Epoch ms. */
  notBeforeMs: number;
  /** When its first attempt here failed, epoch ms; 0 = none has. */
  failedAtMs: number;
}

/** What is called for a chunk's rows. */
export function operationOf(sync: TableSync, op: OpenRow['op']): Operation<unknown> {
  if (op === 'upsert' || sync.removal?.onRemove !== 'archive') return sync.to.operation;
  return sync.removal.operation as unknown as Operation<unknown>;
}

/** The row as an item, or the end it has without a call. */
export function prepareRow(sync: TableSync, row: OpenRow, maxBatch: number): RowItem | RowEnd {
  const mapped = row.op === 'upsert' ? mapUpsert(sync, row) : mapRemoval(sync, row);
  if (!('kind' in mapped)) return mapped;
  switch (mapped.kind) {
    case 'ready':
      return {
        row,
        key: mapped.key,
        input: mapped.input,
        size: mapped.size,
        attempts: row.attempts,
        cap: capOf(maxBatch, row.attempts),
        notBeforeMs: 0,
        failedAtMs: 0,
      };
    case 'skipped':
      // What landed of it before stays known: a later removal removes it.
      return { ...end(row, 'skipped', 'SKIPPED_BY_MAPPING', mapped.reason), targetKey: row.known?.targetKey, vendorId: row.known?.vendorId };
    case 'invalid':
      return end(row, 'invalid', mapped.code, mapped.cause);
    case 'failed':
      return end(row, 'failed', mapped.code, mapped.cause);
  }
}

/** Smaller calls for a row that calls failed with, until it is alone: a poisoned row soon fails without the others. */
export function capOf(maxBatch: number, attempts: number): number {
  if (attempts === 0) return maxBatch;
  return attempts === 1 && maxBatch > 4 ? Math.ceil(Math.sqrt(maxBatch)) : 1;
}

export function end(row: OpenRow, outcome: NonNullable<RowEnd['outcome']>, code: string, cause: string): RowEnd {
  return { n: row.n, outcome, code, cause, attempts: row.attempts, fingerprint: row.fingerprint };
}

function mapUpsert(sync: TableSync, row: OpenRow): Mapped | RowEnd {
  if (row.found === 0 || row.values === null) return end(row, 'superseded', 'ROW_VANISHED', 'the row left the source before it was sent');
  if (row.found > 1) return end(row, 'rejected', 'DUPLICATE_KEY', 'several rows have this key now; none of them was sent');
  return mapBody(sync.id, sync.contract, sync.to.operation, sync.map, row.values);
}

function mapRemoval(sync: TableSync, row: OpenRow): Mapped | RowEnd {
  if (row.found > 0) return end(row, 'superseded', 'ROW_IS_BACK', 'the row is in the source again');
  const key = row.known?.targetKey;
  if (key === null || key === undefined) return end(row, 'skipped', 'NEVER_SENT', 'nothing of this row is at the vendor');
  if (row.shared) return end(row, 'skipped', 'SHARED_RECORD', 'another row of this sync writes the same record');
  if (sync.removal === null) return end(row, 'failed', 'NO_REMOVAL', 'this worker’s sync does not say what a removed row means');
  const operation = operationOf(sync, 'remove');
  try {
    return checkInput(operation, sync.removal.clear ? sync.removal.clear(key) : { key, vendorId: row.known?.vendorId ?? null });
  } catch (error) {
    return end(row, 'failed', 'MAPPING_ERROR', `onRemove of ${sync.id} threw ${error instanceof Error ? error.name : 'something'}`);
  }
}
