import type { BudgetScope, Lane } from '../schemas/plan';

/** What a call asks of the budget: permits from all scopes or none. */
export interface PermitRequest {
  scopes: readonly BudgetScope[];
  lane: Lane;
  /** Who spends: the sync's id, or `trace`, `doctor`, … */
  sync: string;
  /** Cost units; 1 for a plain call. */
  cost?: number;
  /** A further request of a call whose first permit was the probe: part of the same test, which lets nothing else through. */
  probe?: boolean;
  signal?: AbortSignal;
}

/** How a call ended, as the budget needs to know it. */
export interface CallEnd {
  status: number | null;
  /** Lower-cased response headers; the connector's limit reader looks at them. */
  headers: Readonly<Record<string, string>>;
  /** Set on a 429 or its like. */
  rateLimited?: { retryAfterMs?: number; limitName?: string };
  /** No HTTP answer at all. */
  connection?: boolean;
}

/** The right to make one HTTP call now. Spent by `http.ts`; `done` exactly once, or `giveBack` when nothing was sent. */
export interface Permit {
  readonly scopes: readonly BudgetScope[];
  /** Its call tests whether a vendor that failed is back. */
  readonly probe?: boolean;
  /** Its time is over: the budget may have given its slots to others. It must not be sent with. */
  expired?(): boolean;
  /** The request leaves now: what lay before (a claim, a wait for credentials) is not the vendor's time. */
  sent?(): void;
  done(end: CallEnd): void;
  /** Nothing was sent: the permit is free again. */
  giveBack(): void;
}

/** The one door to a vendor's quota. Behind it: the durable budget of each scope. */
export interface Gate {
  /** Waits for permits, in lane order. Rejects with the signal's reason when aborted. */
  acquire(request: PermitRequest): Promise<Permit>;
  /** A permit right now, or null. */
  tryAcquire(request: PermitRequest): Permit | null;
  /** Milliseconds until a permit can be expected; 0 = now. */
  closedForMs(scopes: readonly BudgetScope[], lane: Lane): number;
}
