import type { SourceEvent } from '../../schemas/event';
import type { Json } from '../../schemas/json';
import { terminalOutcomes, type RecordOutcome, type TerminalOutcome } from '../../schemas/outcome';
import type { PreparedRecord } from '../../schemas/run';
import type { SyncPlan } from '../../schemas/plan';
import type { Violation } from '../../schemas/contract';
import { isObject, isUnreadable } from './decode';
import type { Step } from './steps';

/**
 * What an activity's result says, told by its shape and not by the activity's name: an older or newer version of the
 * workflow is read the same way. Null = nothing this program knows.
 */
export function stepOfResult(name: string, result: unknown): StepBody | null {
  if (isUnreadable(result)) return { kind: 'activity', name, state: 'done', attempts: 1, problem: `result unreadable: ${result.unreadable}` };
  if (!isObject(result)) return null;
  switch (result['kind']) {
    case 'ready':
      return mapped(result);
    case 'skipped':
      return { kind: 'skipped', reason: text(result['reason']) };
    case 'invalid':
      return { kind: 'invalid', code: text(result['code']), cause: text(result['cause']), violations: (result['violations'] ?? []) as Violation[] };
    case 'failed':
      return { kind: 'mapping-failed', code: text(result['code']), cause: text(result['cause']) };
    case 'held':
      return { kind: 'held', cause: text(result['cause']), untilMs: Number(result['untilMs'] ?? 0) };
    default:
      return typeof result['fallback'] === 'boolean' ? enriched(name, result) : null;
  }
}

/** A step without its time. */
export type StepBody = Step extends infer S ? (S extends { at: number } ? Omit<S, 'at'> : never) : never;

function mapped(result: Record<string, unknown>): StepBody {
  const record = (isObject(result['record']) ? result['record'] : result) as Partial<PreparedRecord>;
  return {
    kind: 'mapped',
    key: text(record.key),
    keyHmac: text(record.keyHmac),
    version: record.version ?? null,
    fields: record.fields ?? [],
    input: record.input ?? null,
  };
}

function enriched(name: string, result: Record<string, unknown>): StepBody {
  return {
    kind: 'enriched',
    name,
    fallback: result['fallback'] === true,
    ...('value' in result ? { value: result['value'] as Json } : {}),
    ...(typeof result['cause'] === 'string' ? { cause: result['cause'] } : {}),
    ...(typeof result['tookMs'] === 'number' ? { tookMs: result['tookMs'] } : {}),
  };
}

/** The first `RecordOutcome` in a workflow result or in a failure's details (its causes included). */
export function outcomeIn(value: unknown): RecordOutcome | null {
  if (isOutcome(value)) return value;
  if (Array.isArray(value)) return value.map(outcomeIn).find((found) => found !== null) ?? null;
  if (!isObject(value)) return null;
  const details = isObject(value['applicationFailureInfo']) ? value['applicationFailureInfo']['details'] : null;
  return outcomeIn(details) ?? outcomeIn(value['cause']);
}

function isOutcome(value: unknown): value is RecordOutcome {
  return isObject(value) && terminalOutcomes.includes(value['outcome'] as TerminalOutcome) && Array.isArray(value['attempts']);
}

/** `message` of a failure and of what caused it. */
export function failureText(failure: unknown): string {
  if (!isObject(failure)) return 'no reason given';
  const own = text(failure['message']);
  const type = isObject(failure['applicationFailureInfo']) ? text(failure['applicationFailureInfo']['type']) : '';
  const cause = isObject(failure['cause']) ? failureText(failure['cause']) : '';
  return [type, own, cause].filter((part) => part !== '').join(': ') || 'no reason given';
}

/** Plan and event of a run's input; null where the run is of another kind. */
export function inputOf(input: unknown): { plan: SyncPlan | null; event: SourceEvent | null; resendEqual: boolean; carried: boolean } {
  const first: unknown = Array.isArray(input) ? input[0] : null;
  const parts = isObject(first) ? first : {};
  const { plan, event } = parts;
  return {
    plan: isObject(plan) && typeof plan['syncId'] === 'string' ? (plan as unknown as SyncPlan) : null,
    event: isObject(event) && typeof event['id'] === 'string' ? (event as unknown as SourceEvent) : null,
    resendEqual: parts['resendEqual'] === true,
    carried: parts['carried'] !== undefined,
  };
}

export function text(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}
