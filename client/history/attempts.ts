import type { AttemptEnd } from '../../schemas/outcome';
import { isObject } from './decode';

/**
 * HTTP attempts met so far. Each result carries the attempts of earlier ones too, so the same attempt is met many times
 * in one chain of runs.
 */
export class AttemptsSeen {
  private readonly seen = new Set<string>();

  /** The attempts found anywhere in `value` that were not met before, oldest first. */
  fresh(value: unknown): AttemptEnd[] {
    return attemptsIn(value).filter((attempt) => {
      const id = `${attempt.number} ${attempt.at}`;
      if (this.seen.has(id)) return false;
      this.seen.add(id);
      return true;
    });
  }
}

/** Every list of attempts inside a value: results, failure details, heartbeat details. */
export function attemptsIn(value: unknown): AttemptEnd[] {
  if (Array.isArray(value)) return value.some(isAttempt) ? value.filter(isAttempt) : value.flatMap(attemptsIn);
  if (!isObject(value)) return [];
  return Object.values(value).flatMap(attemptsIn);
}

function isAttempt(value: unknown): value is AttemptEnd {
  return isObject(value) && typeof value['number'] === 'number' && typeof value['at'] === 'string' && typeof value['code'] === 'string' && 'status' in value;
}
