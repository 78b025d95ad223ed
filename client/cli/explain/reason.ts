import type { BudgetView } from '../../../workflows/messages';
import { budgetName, type BudgetScope, type Lane } from '../../../schemas/plan';
import type { HeldCause } from '../../../schemas/run';
import type { PendingActivity, Waiting } from '../../history/waiting';
import type { RunTrace, Step } from '../../history/steps';
import { span } from '../output/times';
import { counted } from '../output/words';

/** What is known of a run that may be waiting. */
export interface ExplainFacts {
  run: RunTrace;
  /** Set while it is open. */
  waiting: Waiting | null;
  /** The budgets its calls spend from; null = never spent from. Those that did not answer are missing. */
  budgets: readonly { scope: BudgetScope; view: BudgetView | null }[];
  /** The queue its activity waits in. */
  queue: { name: string; pollers: number; waiting: number; ahead: number } | null;
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
  paused: 'npx syncline budget resume <scope> all',
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
  const isBulk = (facts.run.plan?.budget.lane ?? 'live') !== 'live';
  const behind = [
    ...(cause === 'breaker' ? facts.budgets.flatMap(({ scope, view }) => (view ? [breakerWords(scope, view)] : [])) : []),
    ...(cause === 'budget'
      ? facts.budgets.flatMap(({ scope, view }) => (view ? [...spentWords(scope, view), ...(isBulk ? keptWords(scope, view) : [])] : []))
      : []),
    ...(cause === 'off-peak' ? facts.budgets.flatMap(({ scope, view }) => (view?.offPeak ? [hoursWords(scope, view.offPeak)] : [])) : []),
    ...(cause === 'paused'
      ? facts.budgets.flatMap(({ scope, view }) => (view && view.held.length > 0 ? [`${budgetName(scope)}: ${view.held.join(', ')} paused`] : []))
      : []),
  ];
  const next = heldNext[cause];
  return {
    cause,
    why: cause in heldWhy ? heldWhy[cause as keyof typeof heldWhy] : `it is held: ${cause}`,
    until: timer ? timer.at + timer.forMs : null,
    approximate: cause !== 'off-peak',
    behind,
    ...(next === undefined ? {} : { next: next.replace('<scope>', facts.budgets[0] ? budgetName(facts.budgets[0].scope) : '<scope>') }),
  };
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
  const { syncId = '', budget } = run.plan ?? {};
  const lane = budget?.lane ?? 'live';
  const order = queue
    ? [
        `${counted(queue.waiting, 'record')} in queue ${queue.name}, about ${queue.ahead} of them before it`,
        'live goes before scheduled, backfill, replay; inside a lane the syncs take turns',
      ]
    : [];
  const at = (ms: number | null): number | null => (ms === null ? null : now + ms);
  for (const { scope, view } of budgets) {
    if (!view) continue;
    const name = budgetName(scope);
    const mine = spenderOf(view, syncId, lane);
    const until = at(mine?.waitMs ?? null);
    const reason = (cause: string, why: string, end: number | null, next?: string): Reason => ({
      cause,
      why,
      until: end,
      approximate: true,
      behind: [...order, ...last],
      ...(next ? { next } : {}),
    });
    if (mine?.held) return reason('paused', `an operator paused it in ${name} (${view.held.join(', ')})`, null, `npx syncline budget resume ${name} all`);
    if (mine && mine.shutMs > 0) return reason('off-peak', view.offPeak ? hoursWords(scope, view.offPeak) : 'its lane is shut', until ?? at(mine.shutMs));
    if (view.breaker.state !== 'closed') return reason('breaker', breakerWords(scope, view), until ?? at(view.breaker.openMs));
    const [spent] = spentWords(scope, view);
    if (spent !== undefined) return reason('budget', spent, until ?? at(view.closedMs));
    const [kept] = mine && mine.lane !== 'live' ? keptWords(scope, view) : [];
    if (kept !== undefined) return reason('budget', kept, until);
    if (view.state === 'paused') return reason('budget', `${name}: the vendor asked for a rest (429)`, until ?? at(view.closedMs));
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
  const mine = budgets.flatMap(({ view }) => (view && spenderOf(view, syncId, lane)) ?? []);
  const waits = mine.flatMap(({ waitMs }) => waitMs ?? []);
  const until = waits.length > 0 ? Math.max(...waits) : null;
  const rates = mine.flatMap(({ perMinute }) => perMinute ?? []);
  // The slowest of its budgets decides.
  const rate = rates.length > 0 ? Math.min(...rates) : undefined;
  return {
    cause: 'order',
    why: `it waits its turn for a call to ${run.plan ? `${run.plan.vendor}/${run.plan.account}` : 'the vendor'}${rate === undefined ? '' : `; ${syncId} can expect about ${rate} calls a minute`}`,
    until: at(until),
    approximate: true,
    behind: [...order, ...last],
  };
}

/** The record's own line in a budget: of its sync, in the lane it is served in. */
function spenderOf(view: BudgetView, sync: string, lane: Lane): BudgetView['spenders'][number] | undefined {
  return view.spenders.find((one) => one.sync === sync && one.lane === (view.lanes[sync] ?? lane));
}

type OpenTimer = Extract<Step, { kind: 'waited' }>;

function openTimer(steps: readonly Step[]): OpenTimer | undefined {
  return steps.findLast((step): step is OpenTimer => step.kind === 'waited' && step.tookMs === null);
}

function lastAttempt(steps: readonly Step[]): string[] {
  const last = steps.findLast((step) => step.kind === 'attempt');
  return last?.kind === 'attempt' ? [`last: ${last.attempt.code}${last.attempt.cause ? `: ${last.attempt.cause}` : ''}`] : [];
}

function breakerWords(scope: BudgetScope, { breaker }: BudgetView): string {
  const state = {
    closed: 'closed again: it goes on soon',
    open: `open for about ${span(breaker.openMs)} yet`,
    'half-open': 'half-open: one call tests the vendor',
  }[breaker.state];
  return `${budgetName(scope)}: the breaker is ${state}`;
}

/** Long windows whose rest is kept from bulk lanes. */
function keptWords(scope: BudgetScope, { windows }: BudgetView): string[] {
  return windows
    .filter(({ kept, left }) => kept > 0 && kept >= left)
    .map(({ name, left }) => `${budgetName(scope)}: the last ${left} of ${name} are kept for live records and guaranteed shares`);
}

/** Long windows of which nothing is left. */
function spentWords(scope: BudgetScope, { windows }: BudgetView): string[] {
  return windows
    .filter((one) => one.kind === 'count' && one.resetMs > 0)
    .map(
      ({ name, used, foreign, resetMs }) =>
        `${budgetName(scope)}: nothing is left of ${name} (${used} used by us, ${foreign} by others); free again in about ${span(resetMs)}`,
    );
}

function hoursWords(scope: BudgetScope, { lanes, from, to, timeZone, open, changeMs }: NonNullable<BudgetView['offPeak']>): string {
  return `${budgetName(scope)}: ${lanes.join(', ')} send from ${from} to ${to} (${timeZone}); that ${open ? 'ends' : 'begins'} in ${span(changeMs)}`;
}
