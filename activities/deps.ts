import type { Logger } from 'pino';
import type { CallOptions, PermittedCall } from '../connectors/http';
import type { Gate } from '../connectors/permit';
import type { Ledger } from '../ledger/port';
import type { BudgetScope, Lane } from '../schemas/plan';
import type { Sync } from '../syncs/define-sync';
import type { TableSync } from '../syncs/define-table-sync';
import type { Warehouse } from '../warehouse/port';

/** The way to one vendor account: a `Call` whose requests spend permits, the given one first. */
export interface VendorLink {
  call(by: CallOptions): PermittedCall;
  /** Timeout of one HTTP request, milliseconds: bounds how long a claim must hold. */
  timeoutMs: number;
}

/** Leave to call a vendor: `probe` = one record only, the breaker is testing whether the vendor is back. */
export type Admission = { kind: 'go' } | { kind: 'probe' } | { kind: 'shut'; untilMs: number };

/** Nothing of a sync in its lane is sent for a good while: it waits better elsewhere than in a worker's hands. */
export interface Blocked {
  /** An operator paused it; the account's hours for its lane are over; a long window is spent, or the vendor asked for a long rest. */
  cause: 'paused' | 'off-peak' | 'budget';
  /** Epoch ms: when to look again. */
  untilMs: number;
}

/** Whose record, or rows, want to go. */
export interface Asker {
  lane: Lane;
  sync: string;
  /** It came by its task queue, so somebody polls that: sent back there at once, it would be here again at once. */
  queued?: boolean;
  /** Its task queue is polled also while the account's are not: going back there is no way to wait. */
  polled?: boolean;
}

/** Whether a vendor takes calls at all, as this process sees it: the circuit breaker per budget scope. */
export interface Health {
  /** Asked right before a permit is taken; `probe` is given out once per half-open spell. */
  admit(scopes: readonly BudgetScope[]): Admission;
  /** Why nothing of this sync in this lane may go, whatever permits there are; null = it may. */
  blocked(scopes: readonly BudgetScope[], who: Asker): Blocked | null;
  /** How a call ended, by records; each admission is reported once. */
  report(scopes: readonly BudgetScope[], end: CallReport): void;
  /** Epoch ms until which the breaker is open; 0 = closed. */
  openUntil(scopes: readonly BudgetScope[]): number;
  /** Records (key HMACs) that opened the breaker or failed as its last probes: the next one had better be another. */
  suspects(scopes: readonly BudgetScope[]): readonly string[];
  /** When a record last landed in all of the scopes, epoch ms; 0 = not since start. */
  lastLandedAt(scopes: readonly BudgetScope[]): number;
}

export interface CallReport {
  /** Records (key HMACs) the vendor answered for, well or with a refusal: it is up. */
  answered: readonly string[];
  /** Records that met a 5xx or no answer. A 429 is neither. */
  failed: readonly string[];
  /** No HTTP answer at all. */
  connection: boolean;
}

/** The report of an admission that led to no call: a probe is free again. */
export const nothingSent: CallReport = { answered: [], failed: [], connection: false };

/** Everything activities reach the world with; made in `workers/`, faked in tests. */
export interface ActivityDeps {
  syncs: ReadonlyMap<string, Sync>;
  /** Table syncs, and the warehouses they read; undefined = not declared, or not this process's to open. */
  tables: { syncs: ReadonlyMap<string, TableSync>; warehouse(name: string): Warehouse | undefined };
  ledger: Pick<Ledger, 'fence' | 'outcomes'>;
  gate: Gate;
  health: Health;
  link(vendor: string, account: string): VendorLink;
  /** HMAC of a record key: what ids, logs and the ledger carry instead of personal data. */
  keyHmac(key: string): string;
  log: Logger;
  /** Sends a message to the people who get alerts; when that comes to nothing, the log has it. */
  notify(message: { kind: string; id: string; text: string }): void;
  now: () => number;
  /** 0..1; for full jitter. */
  random: () => number;
}
