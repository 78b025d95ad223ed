import { prepareRecord } from '../../../activities/prepare';
import type { SourceEvent } from '../../../schemas/event';
import type { Json } from '../../../schemas/json';
import type { EnrichmentResult } from '../../../schemas/run';
import type { Sync } from '../../../syncs/define-sync';
import type { RunTrace, Step } from '../../history/steps';
import { flatten } from '../output/values';

/** One field that a replay would write differently than the last run mapped it. `undefined` = absent. */
export interface FieldChange {
  field: string;
  before?: Json;
  after?: Json;
}

/** What a replay would do, found out without asking any vendor. */
export type Preview =
  | {
      kind: 'ready';
      key: string;
      input: Json;
      /** Null: the last run mapped nothing, or its history is gone. */ changes: FieldChange[] | null;
      enrichment: 'none' | 'as before' | 'fallback';
    }
  | { kind: 'skipped' | 'invalid' | 'failed'; code?: string; cause: string };

/** Validates and maps an event with the sync as it is now, and compares with what the last run mapped. */
export function previewOf(sync: Sync, event: SourceEvent, runs: readonly RunTrace[], keyHmac: (key: string) => string): Preview {
  const steps = runs.flatMap((run) => run.steps);
  const enrichment = lastEnrichment(steps);
  const result = prepareRecord(sync, { event, enrichment }, keyHmac);
  switch (result.kind) {
    case 'ready': {
      const before = steps.findLast((step) => step.kind === 'mapped');
      const { key, input } = result.record;
      return {
        kind: 'ready',
        key,
        input,
        changes: before ? changesBetween(before.input, input) : null,
        enrichment: sync.enrich ? (enrichment && !enrichment.fallback ? 'as before' : 'fallback') : 'none',
      };
    }
    case 'skipped':
      return { kind: 'skipped', cause: result.reason };
    default:
      return { kind: result.kind, code: result.code, cause: result.cause };
  }
}

/** Enrichment is asked again by the replay itself; a preview takes what the last run was told. */
function lastEnrichment(steps: readonly Step[]): EnrichmentResult | null {
  const step = steps.findLast((one) => one.kind === 'enriched');
  if (!step) return null;
  const { fallback, value, cause } = step;
  return { fallback, tookMs: 0, ...(value === undefined ? {} : { value }), ...(cause === undefined ? {} : { cause }) };
}

/** Leaves that differ, by dotted path. */
export function changesBetween(before: Json, after: Json): FieldChange[] {
  const old = new Map(flatten(before));
  const changes: FieldChange[] = [];
  for (const [field, value] of flatten(after)) {
    const known = old.has(field);
    const earlier = old.get(field);
    old.delete(field);
    if (!known) changes.push({ field, after: value });
    else if (JSON.stringify(earlier) !== JSON.stringify(value)) changes.push({ field, before: earlier ?? null, after: value });
  }
  for (const [field, value] of old) changes.push({ field, before: value });
  return changes;
}
