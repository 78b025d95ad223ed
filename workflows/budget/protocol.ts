import type { OffPeak } from '../../schemas/off-peak';
import type { Lane } from '../../schemas/plan';
import type { BudgetAlert } from './alerts';

/*
 * What a worker process and the budget of one scope say to each other. Only durations travel, never times of day: no two
 * clocks need to agree. Fields are only ever added, and both sides ignore what they don't know: workers of two versions
 * share one budget during a rolling deploy.
 */

/** A quota as the budget keeps it; `fixed` windows of a minute and less are kept as rolling ones, which is stricter. */
export type BudgetLimit = { name: string; kind: 'rolling' | 'fixed'; ms: number; max: number } | { name: string; kind: 'concurrent'; max: number };

/** Slots given up that the vendor still counts: how many, for how many milliseconds yet, first said in which request. */
export type GaveUp = [count: number, ms: number, since: number];

/** One lease request of one process for one scope. */
export interface LeaseRequest {
  v: 1;
  /** One per process start. */
  worker: string;
  /** The term of the last reply applied; 0 = none. Another term means that the budget had forgotten this worker. */
  term: number;
  /** Counts up by one per request. */
  seq: number;
  /** `seq` of the last reply applied. */
  ack: number;
  /** The limits as this worker's connector declares them; in a process's first requests, until one is answered. */
  limits?: BudgetLimit[];
  /** Guaranteed shares by sync, sent with `limits`. */
  shares?: Record<string, number>;
  /** When bulk lanes may send, sent with `limits`; null = always. */
  offPeak?: OffPeak | null;
  slots: { name: string; holding: number; gaveUp: GaveUp[] }[];
  /** `spent` counts from the start of the term. */
  counts: { name: string; left: number; spent: number }[];
  demand: GroupDemand[];
  /** What the vendor's headers said last, by window. */
  readings?: LimitReport[];
  /** 429s met: how long the vendor wants to be left alone from now. */
  refusals?: Refusal[];
  /** Calls that failed since the vendor last answered one of this worker's. */
  failures?: FailureReport[];
  /** How all calls ended of late, answered ones too. */
  calls?: CallsReport[];
  /** Milliseconds since the vendor last answered for some record; left out when there is nothing new. */
  answeredMs?: number;
  /** How the probe this worker was handed ended; `unused`: nothing was sent. */
  probe?: 'good' | 'bad' | 'unused';
  /** Alerts this worker has delivered, by id. */
  alerted?: string[];
  /** Nothing to send any more: everything held goes back. */
  release?: true;
}

/** The sync under which a worker tells of tasks in its queues while it polls none. */
export const queuedSync = '(queued)';

/** What one sync in one lane wants, and has spent. */
export interface GroupDemand {
  sync: string;
  lane: Lane;
  /** Cost units waiting in the process. */
  waiting: number;
  /** What the dearest call waiting takes. @default 1 */
  cost?: number;
  /** More than can be counted: all slots were taken while calls waited. */
  full: boolean;
  /** Cost units now in each slot window, in the order of `slots`. */
  used: number[];
  /** Cost units since the process started. */
  spent: number;
}

/** A vendor's own view of a quota, as one reply's headers gave it. */
export interface LimitReport {
  name: string;
  max?: number;
  remaining?: number;
  /** Units this process had in the window when the reply came. */
  own: number;
  /** How long ago it came, milliseconds: of two workers' readings the newer counts, whichever is told first. @default 0 */
  agoMs?: number;
  /** Milliseconds until a fixed window starts anew. */
  resetMs?: number;
}

export interface Refusal {
  sync: string;
  /** The window the vendor named. */
  limit?: string;
  pauseMs: number;
  since: number;
}

export interface FailureReport {
  /** Milliseconds ago. */
  ms: number;
  /** Key HMACs. */
  records: string[];
  connection: boolean;
  since: number;
}

/** Calls that ended within a second. */
export interface CallsReport {
  /** Milliseconds ago. */
  ms: number;
  /** The vendor answered for some record. */
  answered: number;
  failed: number;
  /** Key HMACs of some that failed. */
  records: string[];
  since: number;
}

/** The answer. All durations count from its arrival, the lease itself from the moment the request was sent. */
export interface LeaseReply {
  v: 1;
  seq: number;
  term: number;
  /** The budget knew nothing of what this worker holds: it starts from what this reply grants. */
  fresh: boolean;
  /** A request older than one already answered: nothing was done. */
  stale?: true;
  /** The budget was started anew and knows no limits: nothing was granted, the next request must tell them. */
  unknown?: true;
  leaseMs: number;
  renewMs: number;
  slots: SlotReply[];
  counts: CountReply[];
  groups: GroupReply[];
  /** No calls at all for so long. */
  pauseMs: number;
  /** Put on hold by an operator: `all`, `lane:<lane>`, `sync:<id>`. */
  held: string[];
  /** Lanes an operator changed, by sync: also for syncs this worker has not asked for lately. */
  lanes?: Record<string, Lane>;
  /** Lanes that send in some hours only: whether these are now, and when that changes. */
  offPeak?: OffPeakReply;
  breaker: BreakerReply;
  /** For this worker to deliver. Told again to somebody if nobody says that it was. */
  alerts?: BudgetAlert[];
}

/** Whether off-peak hours are on, and for how many milliseconds it stays so. */
export interface HoursNow {
  open: boolean;
  changeMs: number;
}

export interface OffPeakReply extends HoursNow {
  lanes: Lane[];
}

export interface SlotReply {
  name: string;
  ms: number;
  /** Slots more, at once. */
  grant: number;
  /** Slots more, each usable after so many milliseconds. */
  later: [count: number, ms: number][];
  /** Of what was held before this reply, so many may stay. */
  keep: number;
  /** Slots bulk lanes leave alone while live records pass through this process. */
  reserve: number;
  /** Units spent by others than our workers, smoothed. */
  foreign: number;
  /** The ceiling in force. */
  max: number;
}

export interface CountReply {
  name: string;
  grant: number;
  keep: number;
  /** With nothing left: until some is expected. 0 = there is some. */
  closedMs: number;
  /** What of it bulk lanes may take. @default all */
  bulk?: BulkReply;
}

/** Units of a long window that bulk lanes may take until the next reply; the rest is kept for live records and for shares. */
export interface BulkReply {
  left: number;
  /** For syncs with a share of their own, which is not kept from themselves. */
  shared: Record<string, number>;
  /** Once that is taken: until some more is expected. */
  closedMs: number;
}

/** A group's part of what this worker holds. */
export interface GroupReply {
  sync: string;
  /** The lane it is served in: an operator may have changed it. */
  lane: Lane;
  /** The lane it asked in. */
  asked: Lane;
  /** Slots per longest window it is sure of, whatever the others want. May be a fraction. */
  floor: number;
  /** Its part among its lane. */
  weight: number;
}

export interface BreakerReply {
  /** Milliseconds the breaker stays open; 0 = closed, or half-open. */
  openMs: number;
  /** Half-open: nobody calls but the one with the probe. */
  halfOpen: boolean;
  /** This worker may make the one call that tests the vendor. */
  probe: boolean;
  /** 0..1: the part of the rate in use after the vendor came back. */
  ramp: number;
  /** Milliseconds since a record last landed in this scope; -1 = never. */
  landedMs: number;
  /** Unless it is closed: key HMACs that opened it or failed as the last probes. The probe is one of them only if nothing else waits. */
  suspects?: string[];
}

/** An operator's change of the budget. */
export type BudgetCommand =
  { kind: 'pause' | 'resume'; what: string } | { kind: 'share'; sync: string; share: number | null } | { kind: 'priority'; sync: string; lane: Lane | null };
