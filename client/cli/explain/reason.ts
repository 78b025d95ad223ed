import type { HeldCause } from '../../../schemas/run';
import type { PendingActivity, Waiting } from '../../history/waiting';
import type { RunTrace, Step } from '../../history/steps';
import { counted } from '../output/words';
import { breakerWords, hoursWords, keptWords, shutBy, spenderOf, spentWords, wayOut, type AskedBudget, type Caller } from './budget-reason';
import type { QueueFacts } from './queue';

/** What is known of a run that may be waiting. */
export interface ExplainFacts {
  run: RunTrace;
  /** Set while it is open. */
  waiting: Waiting | null;
  /** The budgets its calls spend from; null = never spent from. Those that did not answer are missing. */
  budgets: readonly AskedBudget[];
  /** The queue its activity waits in. */
  queue: QueueFacts | null;
  now: number;
}

/** Why a run is not done, behind what, and until when. */
export interface Reason {
  /** Stable code. `finished`: it waits for nothing. */
  cause: string;
  /** One sentence. */
  why: string;
  /** Epoch ms; null = nobody knows. */
  until: number | null;
  /** `until` supposes that nothing changes. */
  approximate: boolean;
  /** What is in front of it. */
  behind: string[];
  next?: string;
}

const heldWhy = {
  budget: 'it waits for the vendor account’s budget',
  breaker: 'the vendor is failing; records are held until one call shows that it is back. No attempt is used',
  paused: 'an operator paused it',
  'off-peak': 'its lane sends in the account’s off-peak hours only',
  claim: 'another run is writing the same record',
  ledger: 'the ledger (PostgreSQL) did not answer',
  shutdown: 'its worker stopped, or could not book an answer; another goes on',
  approval: 'it waits for a person’s approval',
} satisfies Record<HeldCause | 'approval', string>;

const heldNext: Readonly<Record<string, string>> = {
  ledger: 'npx syncline doctor',
  approval: 'approve or refuse it; without an answer it expires',
};

/** Pure. */
export function reasonOf(facts: ExplainFacts): Reason {
  const { run, waiting } = facts;
  if (run.status !== 'running' || !waiting) return finished(run);
  const timer = openTimer(run.steps);
  const [held] = waiting.causes;
  if (held !== undefined) return heldReason(held, timer, facts);
  const activity = waiting.activities.find(({ state }) => state !== 'cancelling') ?? waiting.activities[0];
  if (activity) return activityReason(activity, facts);
  if (timer)
    return { cause: 'backoff', why: `an attempt failed; ${timer.what}`, until: timer.at + timer.forMs, approximate: false, behind: lastAttempt(run.steps) };
  if (waiting.details === null) {
    return {
      cause: 'no-worker',
      why: 'no worker takes its next step',
      until: null,
      approximate: false,
      behind: [],
      next: 'start a worker, or: npx syncline doctor',
    };
  }
  return { cause: 'under-way', why: 'a worker is at it right now', until: null, approximate: false, behind: [] };
}

function finished({ status, outcome, closedAt }: RunTrace): Reason {
  const how = outcome ? `it ended \`${outcome.outcome}\`${outcome.cause ? `: ${outcome.cause}` : ''}` : `it ended: ${status}, without an outcome`;
  return { cause: 'finished', why: `${how}; it waits for nothing`, until: closedAt, approximate: false, behind: [] };
}

function heldReason(cause: string, timer: OpenTimer | undefined, facts: ExplainFacts): Reason {
  const caller = callerOf(facts.run);
  const isBulk = caller.lane !== 'live';
  const paused = wayOut(facts.budgets, caller);
  const behind = [
    ...(cause === 'breaker' ? facts.budgets.flatMap(({ scope, view }) => (view ? [breakerWords(scope, view)] : [])) : []),
    ...(cause === 'budget'
      ? facts.budgets.flatMap(({ scope, view }) => (view ? [...spentWords(scope, view), ...(isBulk ? keptWords(scope, view) : [])] : []))
      : []),
    ...(cause === 'off-peak' ? facts.budgets.flatMap(({ scope, view }) => (view?.offPeak ? [hoursWords(scope, view.offPeak)] : [])) : []),
    ...(cause === 'paused' ? (paused.next === undefined ? resumed(facts) : [...paused.paused, ...paused.also]) : []),
  ];
  const next = cause === 'paused' ? paused.next : heldNext[cause];
  return {
    cause,
    why: cause in heldWhy ? heldWhy[cause as keyof typeof heldWhy] : `it is held: ${cause}`,
    until: timer ? timer.at + timer.forMs : null,
    approximate: cause !== 'off-peak',
    behind,
    ...(next === undefined ? {} : { next }),
  };
}

/** It looked while the pause was on; no budget that answered knows of it any more. */
function resumed({ budgets }: ExplainFacts): string[] {
  return budgets.some(({ view }) => view !== null) ? ['resumed since: it goes on when it looks again'] : [];
}

function callerOf({ plan }: RunTrace): Caller {
  return { sync: plan?.syncId ?? '', lane: plan?.budget.lane ?? 'live' };
}

function activityReason(activity: PendingActivity, facts: ExplainFacts): Reason {
  const last = activity.lastFailure === undefined ? [] : [`last: ${activity.lastFailure}`];
  switch (activity.state) {
    case 'backing-off':
      return {
        cause: 'backoff',
        why: `attempt ${activity.attempt - 1} failed; it waits for the next`,
        until: activity.nextAttemptAt,
        approximate: false,
        behind: last,
      };
    case 'paused':
      return {
        cause: 'activity-paused',
        why: `its activity ${activity.name} was paused by an operator`,
        until: null,
        approximate: false,
        behind: last,
        next: 'temporal activity unpause',
      };
    case 'running':
      return {
        cause: 'in-worker',
        why: `a worker has it (${activity.name}): it waits there for a permit, at most 20 s, or its call is under way`,
        until: null,
        approximate: true,
        behind: last,
      };
    case 'cancelling':
      return { cause: 'cancelling', why: 'it is being cancelled', until: null, approximate: false, behind: last };
    case 'queued':
      return queuedReason(facts, last);
  }
}

/** It stands in the account's task queue: for budget, for others before it, or because nobody polls. */
function queuedReason(facts: ExplainFacts, last: string[]): Reason {
  const { run, queue, budgets, now } = facts;
  const caller = callerOf(run);
  const order = queue
    ? [
        `${counted(queue.waiting, 'record')} in queue ${queue.name}, about ${queue.ahead} of them before it`,
        'live goes before scheduled, backfill, replay; inside a lane the syncs take turns',
      ]
    : [];
  const at = (ms: number | null): number | null => (ms === null ? null : now + ms);
  const shut = shutBy(budgets, caller);
  if (shut) {
    const { cause, why, next } = shut;
    const until = at(shut.waitMs ?? shut.opensMs);
    return { cause, why, until, approximate: true, behind: [...shut.behind, ...order, ...last], ...(next === undefined ? {} : { next }) };
  }
  if (queue?.pollers === 0) {
    return {
      cause: 'no-worker',
      why: `nobody polls queue ${queue.name}`,
      until: null,
      approximate: false,
      behind: order,
      next: 'start a worker, or: npx syncline doctor',
    };
  }
  const mine = budgets.flatMap(({ view }) => (view && spenderOf(view, caller)) ?? []);
  const waits = mine.flatMap(({ waitMs }) => waitMs ?? []);
  const until = waits.length > 0 ? Math.max(...waits) : null;
  const rates = mine.flatMap(({ perMinute }) => perMinute ?? []);
  // The slowest of its budgets decides.
  const rate = rates.length > 0 ? Math.min(...rates) : undefined;
  return {
    cause: 'order',
    why: `it waits its turn for a call to ${run.plan ? `${run.plan.vendor}/${run.plan.account}` : 'the vendor'}${rate === undefined ? '' : `; ${caller.sync} can expect about ${rate} calls a minute`}`,
    until: at(until),
    approximate: true,
    behind: [...order, ...last],
  };
}

type OpenTimer = Extract<Step, { kind: 'waited' }>;

function openTimer(steps: readonly Step[]): OpenTimer | undefined {
  return steps.findLast((step): step is OpenTimer => step.kind === 'waited' && step.tookMs === null);
}

function lastAttempt(steps: readonly Step[]): string[] {
  const last = steps.findLast((step) => step.kind === 'attempt');
  return last?.kind === 'attempt' ? [`last: ${last.attempt.code}${last.attempt.cause ? `: ${last.attempt.cause}` : ''}`] : [];
}
