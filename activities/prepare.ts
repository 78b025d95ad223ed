import type { Json } from '../schemas/json';
import type { PrepareInput, PrepareResult } from '../schemas/run';
import type { Sync } from '../syncs/define-sync';
import type { ActivityDeps } from './deps';
import { syncOf } from './lookup';
import { mapBody } from './map-body';

/** Validates the event against its contract and maps it: everything that is decided before a vendor is asked. */
export function createPrepare(deps: Pick<ActivityDeps, 'syncs' | 'keyHmac'>) {
  return function prepare(input: PrepareInput): Promise<PrepareResult> {
    return Promise.resolve(prepareRecord(syncOf(deps.syncs, input.plan.syncId), input, deps.keyHmac));
  };
}

/** The pure part: also what `replay --dry-run` shows. */
export function prepareRecord(sync: Sync, { event, enrichment }: Omit<PrepareInput, 'plan'>, keyHmac: (key: string) => string): PrepareResult {
  const { operation } = sync.to;
  const enriched = enrichment && !enrichment.fallback ? enrichment.value : sync.enrich?.fallback;
  const mapped = mapBody(sync.id, sync.contract, operation, (body) => sync.map(body, enriched), event.body);
  if (mapped.kind !== 'ready') return mapped;
  const { key, input } = mapped;
  return { kind: 'ready', record: { key, keyHmac: keyHmac(key), version: event.version, fields: operation.fields(input), input: input as Json } };
}
