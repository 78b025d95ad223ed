import { ApplicationFailure } from '@temporalio/common';
import type { Sync } from '../syncs/define-sync';

/** The declared sync of a plan. A worker built without it must not decide the record's fate: retried, and surfaced. */
export function syncOf(syncs: ReadonlyMap<string, Sync>, syncId: string): Sync {
  const sync = syncs.get(syncId);
  if (sync) return sync;
  throw ApplicationFailure.create({
    message: `this worker does not know sync "${syncId}"; deploy a worker that lists it in syncs/index.ts`,
    type: 'UNKNOWN_SYNC',
    nonRetryable: false,
  });
}
