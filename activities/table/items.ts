import type { JobOperation, Operation } from '../../connectors/connector';
import type { SendChunkInput } from '../../schemas/table';
import type { OpenRow, ReadRequest, RowEnd } from '../../warehouse/port';
import type { TableSync } from '../../syncs/define-table-sync';
import { checkInput, mapBody, type Mapped, type RecordRules } from '../map-body';

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

/** Open rows of a chunk, so many behind a position. */
export function pageOf({ plan, runId, chunk }: SendChunkInput, after: number, limit: number): ReadRequest {
  const { syncId, source, mapVersion, membership = false } = plan;
  return { syncId, runId, chunk, source, mapVersion, membership, after, limit };
}

/** What is called for a chunk's rows. */
export function operationOf(sync: TableSync, op: OpenRow['op']): Operation<unknown> | JobOperation<unknown> {
  if (op === 'upsert') return sync.to.operation;
  return (sync.removal?.operation as unknown as Operation<unknown> | JobOperation<unknown> | undefined) ?? sync.to.operation;
}

/** What a single record may be, of either kind of operation. */
function target(operation: Operation<unknown> | JobOperation<unknown>): RecordRules {
  const { name, input } = operation;
  return { name, input, key: (record) => operation.key(record), maxBatchBytes: operation.kind === 'job' ? operation.maxBytes : operation.maxBatchBytes };
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
  if (row.found === 0 || row.values === null) return end(row, 'superseded', 'ROW_VANISHED', goneWords(row));
  if (row.found > 1) return end(row, 'rejected', 'DUPLICATE_KEY', 'several rows have this key now; none of them was sent');
  const mapped = mapValues(sync, row.values);
  return sync.membership ? asMember(mapped, row) : mapped;
}

function goneWords({ inJob }: OpenRow): string {
  if (!inJob) return 'the row left the source before it was sent';
  return 'the row left the source; what was handed over of it may have landed, and the next run removes it';
}

/** A member who is known under another key has not left yet, whatever the removal came to: they don't come a second time. */
function asMember(mapped: Mapped, row: OpenRow): Mapped | RowEnd {
  const { known } = row;
  if (known?.targetKey === null || known?.targetKey === undefined || mapped.kind === 'invalid' || mapped.kind === 'failed') return mapped;
  if (!isMember(mapped, row))
    return end(
      row,
      'superseded',
      'OLD_IDENTITY_STILL_THERE',
      'the removal of what named this member before has not come through; the next run tries both again',
    );
  // The same member as before comes again, which changes nothing: a removal of another row may just have taken them along.
  return mapped;
}

function mapValues(sync: TableSync, values: NonNullable<OpenRow['values']>): Mapped {
  return mapBody(sync.id, sync.contract, target(sync.to.operation), sync.map, values);
}

/** The vendor knows the member under just this key. */
function isMember(mapped: Mapped, row: OpenRow): boolean {
  return mapped.kind === 'ready' && mapped.key === row.known?.targetKey;
}

function mapRemoval(sync: TableSync, row: OpenRow): Mapped | RowEnd {
  const changed = sync.membership && row.change === 'changed';
  if (row.found > 0 && !changed) return end(row, 'superseded', 'ROW_IS_BACK', 'the row is in the source again');
  const key = row.known?.targetKey;
  if (key === null || key === undefined) return end(row, changed ? 'superseded' : 'skipped', 'NEVER_SENT', 'nothing of this row is at the vendor');
  if (changed && row.values !== null) {
    const now = mapValues(sync, row.values);
    if (isMember(now, row)) return end(row, 'superseded', 'SAME_MEMBER', 'what names this member did not change');
    // Our own mistake puts nobody out. A row that breaks its contract does: as what they were, they are no member.
    if (now.kind === 'failed') return end(row, 'failed', now.code, now.cause);
  }
  if (row.shared) return end(row, 'skipped', 'SHARED_RECORD', 'another row of this sync writes the same record');
  if (sync.removal === null) return end(row, 'failed', 'NO_REMOVAL', 'this worker’s sync does not say what a removed row means');
  const { write } = sync.removal;
  try {
    const record = { key, vendorId: row.known?.vendorId ?? null };
    return checkInput(target(operationOf(sync, 'remove')), write ? write(record) : record);
  } catch (error) {
    return end(row, 'failed', 'MAPPING_ERROR', `onRemove of ${sync.id} threw ${error instanceof Error ? error.name : 'something'}`);
  }
}
