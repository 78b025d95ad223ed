import { maskText } from '../connectors/mask';
import { violations } from '../schemas/contract';
import type { PrepareInput, PrepareResult } from '../schemas/run';
import { Skip, type Sync } from '../syncs/define-sync';
import type { ActivityDeps } from './deps';
import { syncOf } from './lookup';

/** Validates the event against its contract and maps it: everything that is decided before a vendor is asked. */
export function createPrepare(deps: Pick<ActivityDeps, 'syncs' | 'keyHmac'>) {
  return function prepare(input: PrepareInput): Promise<PrepareResult> {
    return Promise.resolve(prepareRecord(syncOf(deps.syncs, input.plan.syncId), input, deps.keyHmac));
  };
}

/** The pure part: also what `replay --dry-run` shows. */
export function prepareRecord(sync: Sync, { event, enrichment }: Omit<PrepareInput, 'plan'>, keyHmac: (key: string) => string): PrepareResult {
  const parsed = sync.contract.schema.safeParse(event.body);
  if (!parsed.success) {
    const found = violations(parsed.error, event.body);
    return {
      kind: 'invalid',
      code: 'CONTRACT_VIOLATION',
      cause: found.map((one) => `${one.field || '(body)'}: expected ${one.expected}, found ${one.found}`).join('; '),
      violations: found,
    };
  }
  let mapped: unknown;
  try {
    mapped = sync.map(parsed.data, enrichment && !enrichment.fallback ? enrichment.value : sync.enrich?.fallback);
  } catch (error) {
    return { kind: 'failed', code: 'MAPPING_ERROR', cause: maskText(`the mapping of ${sync.id} threw ${String(error)}`) };
  }
  if (mapped instanceof Skip) return { kind: 'skipped', reason: mapped.reason };
  const { operation } = sync.to;
  const checked = operation.input.safeParse(mapped);
  if (!checked.success) {
    const found = violations(checked.error, mapped);
    return {
      kind: 'invalid',
      code: 'TARGET_VIOLATION',
      cause: found.map((one) => `${operation.name} ${one.field}: expected ${one.expected}, mapped to ${one.found}`).join('; '),
      violations: found,
    };
  }
  const target = checked.data as never;
  const size = Buffer.byteLength(JSON.stringify(target));
  if (size > operation.maxBatchBytes) {
    return {
      kind: 'invalid',
      code: 'RECORD_TOO_LARGE',
      cause: `the mapped record has ${size} bytes; ${operation.name} takes at most ${operation.maxBatchBytes}`,
      violations: [],
    };
  }
  const key = operation.key(target);
  return {
    kind: 'ready',
    record: { key, keyHmac: keyHmac(key), version: event.version, fields: operation.fields(target), input: target },
  };
}
