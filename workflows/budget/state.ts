import type { OffPeak } from '../../schemas/off-peak';
import type { Lane } from '../../schemas/plan';
import { noAlerts, type AlertState } from './alerts';
import { newBreaker, type BreakerState } from './breaker';
import type { CountHolding, CountWindow } from './counts';
import type { BudgetLimit, GroupDemand } from './protocol';
import type { SlotHolding, SlotWindow } from './slots';

/** Windows up to this long are split into slots; longer ones are counted. */
export const longestSlotWindowMs = 60_000;

/** Everything a budget knows: plain JSON, so that it passes continue-as-new. Times are epoch ms of the workflow's clock. */
export interface BudgetState {
  /** Whether a worker has ever declared the limits. None declared is not the same as none known. */
  told: boolean;
  /** The latest time seen: the clock never runs backwards for us. */
  now: number;
  terms: number;
  slots: (SlotWindow & Correction)[];
  counts: CountWindow[];
  workers: Record<string, WorkerLease>;
  /** As the syncs declare them, and as an operator changed them. */
  shares: Record<string, number>;
  changedShares: Record<string, number>;
  /** Lanes changed by an operator, by sync. */
  lanes: Record<string, Lane>;
  held: string[];
  /** When bulk lanes may send, as the account declares it. */
  offPeak: OffPeak | null;
  alerts: AlertState;
  pausedUntil: number;
  breaker: BreakerState;
  /** Who tests the vendor; '' = nobody. */
  prober: string;
  /** When the breaker last closed, for the slow start; 0 = long ago. */
  recoveredAt: number;
  /** When a record last landed; 0 = never. */
  landedAt: number;
  usage: Usage[];
  /** 429s by the window the vendor named; '' = it named none we know. */
  refusals: Record<string, number>;
  /** Start of the UTC day that `usage` and `refusals` count. */
  usageDay: number;
}

/** What tightens a slot window below its declared maximum. */
export interface Correction {
  /** The vendor's own maximum, where lower; 0 = none. */
  said: number;
  /** 0.5..1: lowered by a 429, recovers by itself. */
  ceiling: number;
  ceilingAt: number;
  /** Units others spend per window, smoothed. */
  foreign: number;
  foreignAt: number;
  /** When the vendor last told of it; never = not yet. */
  readAt?: number;
}

export interface WorkerLease {
  term: number;
  seq: number;
  /** End of the lease by our clock; the worker's own end is earlier. */
  end: number;
  slots: Record<string, SlotHolding>;
  counts: Record<string, CountHolding>;
  demand: WorkerDemand[];
}

/** What a group wants, and units it spent per renewal lately; left out in a term's first request. */
export type WorkerDemand = GroupDemand & { perRenewal?: number };

/** Who spent what today. */
export interface Usage {
  sync: string;
  lane: Lane;
  units: number;
  refused: number;
}

export function newBudget(now: number): BudgetState {
  return {
    now,
    told: false,
    terms: 0,
    slots: [],
    counts: [],
    workers: {},
    shares: {},
    changedShares: {},
    lanes: {},
    held: [],
    offPeak: null,
    alerts: noAlerts(),
    pausedUntil: 0,
    breaker: newBreaker(),
    prober: '',
    recoveredAt: 0,
    landedAt: 0,
    usage: [],
    refusals: {},
    usageDay: startOfDay(now),
  };
}

/** Goes on from what a run knew that may be of an older version: it knew less. */
export function resumedBudget(now: number, before?: BudgetState): BudgetState {
  const fresh = newBudget(now);
  return { ...fresh, ...before, breaker: { ...fresh.breaker, ...before?.breaker } };
}

export const dayMs = 24 * 60 * 60 * 1000;
export const startOfDay = (now: number): number => Math.floor(now / dayMs) * dayMs;

/**
 * Limits as the newest worker declares them. A window that stays keeps its counts and corrections; one that goes is
 * forgotten with what was held of it.
 */
export function setLimits(state: BudgetState, limits: readonly BudgetLimit[]): void {
  const slots: BudgetState['slots'] = [];
  const counts: CountWindow[] = [];
  for (const limit of limits) {
    if (limit.kind !== 'concurrent' && limit.ms > longestSlotWindowMs) {
      const known = state.counts.find(({ name }) => name === limit.name);
      const fresh = { spent: [], anchor: 0, closedUntil: 0, closedForMs: 0, foreign: 0, said: 0 };
      counts.push({ ...fresh, ...known, name: limit.name, kind: limit.kind, ms: limit.ms, max: limit.max });
      continue;
    }
    const known = state.slots.find(({ name }) => name === limit.name);
    const fresh = { cooling: [], said: 0, ceiling: 1, ceilingAt: 0, foreign: 0, foreignAt: 0 };
    slots.push({ ...fresh, ...known, name: limit.name, ms: limit.kind === 'concurrent' ? 0 : limit.ms, max: limit.max });
  }
  state.slots = slots;
  state.counts = counts;
}
