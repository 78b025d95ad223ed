import { createHash } from 'node:crypto';
import type { CallEvent } from './types';

/** Call counts since the start or the last reset. */
export interface CallStats {
  /** Every request for the vendor, refused and unanswered ones included: what permits must equal. */
  calls: number;
  /** By status; `none` = never answered. */
  byStatus: Record<string, number>;
  byPath: Record<string, number>;
  /** Calls refused over a limit, by limit. */
  overLimit: Record<string, number>;
  /** Faults that struck, by kind. */
  faults: Record<string, number>;
  /** Calls by token; tokens are named by the start of their SHA-256. */
  perToken: Record<string, { calls: number; overLimit: number }>;
}

const names = new Map<string, string>();

/** A token's name in stats. */
export function tokenName(token: string): string {
  let name = names.get(token);
  if (name === undefined) {
    name = createHash('sha256').update(token).digest('hex').slice(0, 8);
    names.set(token, name);
  }
  return name;
}

const empty = (): CallStats => ({ calls: 0, byStatus: {}, byPath: {}, overLimit: {}, faults: {}, perToken: {} });

/** Counts calls. */
export class Stats {
  private sums = empty();

  arrived(method: string, path: string, token: string): void {
    this.sums.calls += 1;
    bump(this.sums.byPath, `${method} ${path}`);
    this.tokenSums(token).calls += 1;
  }

  ended(event: CallEvent): void {
    bump(this.sums.byStatus, String(event.status));
    if (event.kind) bump(this.sums.faults, event.kind);
    if (event.limitedBy === undefined) return;
    bump(this.sums.overLimit, event.limitedBy);
    this.tokenSums(event.token).overLimit += 1;
  }

  read(): CallStats {
    return structuredClone(this.sums);
  }

  clear(): void {
    this.sums = empty();
  }

  private tokenSums(token: string): { calls: number; overLimit: number } {
    return (this.sums.perToken[token === '' ? 'none' : tokenName(token)] ??= { calls: 0, overLimit: 0 });
  }
}

function bump(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
