import type { HeldChunk, TableHeldCause, TableRunView } from '../../../schemas/table';
import type { PendingActivity, Waiting } from '../../history/waiting';
import { span } from '../output/times';
import { counted } from '../output/words';
import type { TableRun } from '../table-run';
import { shutBy, spenderOf, type AskedBudget, type Caller } from './budget-reason';
import type { QueueFacts } from './queue';
import type { Reason } from './reason';

/** What is known of a table's run that may be waiting. */
export interface TableFacts {
  run: TableRun;
  caller: Caller;
  /** Where its rows go: `vendor/account`. */
  destination: string;
  /** Set while it is open. */
  waiting: Pick<Waiting, 'activities'> | null;
  /** The budgets its calls spend from; null = never spent from. Those that did not answer are missing. */
  budgets: readonly AskedBudget[];
  /** The queue its next step waits in. */
  queue: QueueFacts | null;
  now: number;
}

const heldWhy: Record<TableHeldCause, string> = {
  budget: 'it waits for the vendor account’s budget',
  paused: 'an operator paused it',
  'off-peak': 'its lane sends in the account’s off-peak hours only',
  breaker: 'the vendor is failing; its rows are held until one call shows that it is back. No attempt is used',
  credentials: 'the vendor refuses the account’s credentials; they are read again with the next call',
  lease: 'another worker, or one that stopped, has its chunk yet',
  warehouse: 'the warehouse does not answer',
  retry: 'rows that failed wait before their next attempt',
  job: 'the vendor works on what was handed over',
  slice: 'it gave its place to others, and goes on',
};

/** Holds of the account rather than of one chunk: what the run waits for when several hold it. */
const accountWide: readonly TableHeldCause[] = ['paused', 'off-peak', 'breaker', 'credentials', 'budget', 'warehouse'];

/** Why a table's run is not done, behind what, until when. Pure. */
export function tableReasonOf(facts: TableFacts): Reason {
  const { run } = facts;
  if (run.status !== 'running') return finished(run);
  if (!run.view) return noWorker('no worker answers for its run');
  switch (run.view.state) {
    case 'waiting':
      return approval(run.view);
    case 'running':
      return sending(facts, run.view);
    default:
      return atWarehouse(facts, run.view);
  }
}

function finished({ status, closedAt, view }: TableRun): Reason {
  const how = view?.equation ? `run ${view.runId} ended \`${view.state}\`, ${counted(view.equation.planned, 'row')} planned` : `its run ended: ${status}`;
  return { cause: 'finished', why: `${how}; it waits for nothing`, until: closedAt, approximate: false, behind: [] };
}

function noWorker(why: string, behind: string[] = []): Reason {
  return { cause: 'no-worker', why, until: null, approximate: false, behind, next: 'start a worker, or: npx syncline doctor' };
}

function approval({ runId, waitingFor, expiresAtMs }: TableRunView): Reason {
  return {
    cause: 'approval',
    why: 'it waits for a person’s approval; without an answer it expires',
    until: expiresAtMs,
    approximate: false,
    behind: waitingFor.map(({ guard, why }) => `${guard}: ${why}`),
    next: `npx syncline approve ${runId} --reason '…'   (or reject)`,
  };
}

/** It compares, or counts: nothing of that spends from a budget. */
function atWarehouse({ waiting, queue }: TableFacts, { state }: TableRunView): Reason {
  const what = state === 'planning' ? 'comparing rows in the warehouse' : 'counting what became of the rows';
  const [activity] = waiting?.activities ?? [];
  const behind = failures(waiting);
  if (activity?.state === 'backing-off')
    return { cause: 'warehouse', why: `${what} failed; it is tried again`, until: activity.nextAttemptAt, approximate: false, behind };
  if (activity?.state === 'queued' && queue?.pollers === 0) return noWorker(`${what}: nobody polls queue ${queue.name}`, behind);
  if (activity?.state === 'queued')
    return { cause: 'order', why: `${what}: it waits for a worker of queue ${activity.queue}`, until: null, approximate: false, behind };
  return { cause: 'under-way', why: `a worker is at it: ${what}`, until: null, approximate: false, behind };
}

function sending(facts: TableFacts, view: TableRunView): Reason {
  const { budgets, caller, now, waiting } = facts;
  const progress = [progressWords(facts, view), ...failures(waiting)];
  const shut = shutBy(budgets, caller);
  if (shut) {
    const { cause, why, opensMs, waitMs, next } = shut;
    const endMs = opensMs ?? (cause === 'paused' ? null : waitMs);
    const rest = opensMs !== null && waitMs !== null && waitMs > opensMs ? [`all of it is sent in about ${span(waitMs)}`] : [];
    const looks = cause === 'paused' ? lookWords(view.held, now) : [];
    return {
      cause,
      why,
      until: endMs === null ? null : now + endMs,
      approximate: cause !== 'off-peak',
      behind: [...shut.behind, ...progress, ...rest, ...looks],
      ...(next === undefined ? {} : { next }),
    };
  }
  const activities = waiting?.activities.filter(({ state }) => state !== 'cancelling') ?? [];
  const hold = holdOf(view.held);
  if (activities.length === 0 && hold) return heldReason(hold, facts, progress);
  return activeReason(activities, facts, progress);
}

/** Nothing of it is in flight. */
function heldReason({ cause, untilMs }: Pick<HeldChunk, 'cause' | 'untilMs'>, { budgets, destination }: TableFacts, progress: string[]): Reason {
  const over = cause === 'paused' && budgets.some(({ view }) => view !== null);
  return {
    cause,
    why: heldWhy[cause],
    until: untilMs,
    approximate: cause !== 'off-peak' && cause !== 'retry',
    behind: [...(over ? ['resumed since: it goes on when it looks again'] : []), ...progress],
    ...(cause === 'credentials' ? { next: `correct the credentials of ${destination}` } : {}),
    ...(cause === 'warehouse' ? { next: 'npx syncline doctor' } : {}),
  };
}

/** What holds the run: what holds all chunks of the account, for as long as it does; else the chunk that is next. */
function holdOf(held: readonly HeldChunk[]): Pick<HeldChunk, 'cause' | 'untilMs'> | undefined {
  const byTime = [...held].sort((a, b) => a.untilMs - b.untilMs);
  return byTime.findLast(({ cause }) => accountWide.includes(cause)) ?? byTime[0];
}

function activeReason(activities: readonly PendingActivity[], { budgets, caller, destination, queue, now }: TableFacts, behind: string[]): Reason {
  const mine = budgets.flatMap(({ view }) => (view && spenderOf(view, caller)) ?? []);
  const waits = mine.flatMap(({ waitMs }) => waitMs ?? []);
  const until = waits.length > 0 ? now + Math.max(...waits) : null;
  const states = activities.map(({ state }) => state);
  if (states.length === 0 || states.includes('running'))
    return { cause: 'under-way', why: `a worker is sending its rows to ${destination}`, until, approximate: true, behind };
  const next = activities.find(({ state }) => state === 'backing-off');
  if (next) return { cause: 'backoff', why: 'a chunk failed; it is tried again', until: next.nextAttemptAt, approximate: false, behind };
  if (states.includes('paused'))
    return {
      cause: 'activity-paused',
      why: 'its activity was paused by an operator',
      until: null,
      approximate: false,
      behind,
      next: 'temporal activity unpause',
    };
  if (queue?.pollers === 0) return noWorker(`nobody polls queue ${queue.name}`, behind);
  const order = queue ? [`${counted(queue.waiting, 'task')} in queue ${queue.name}, about ${queue.ahead} of them before it`] : [];
  return { cause: 'order', why: `its chunks wait their turn for ${destination}`, until, approximate: true, behind: [...order, ...behind] };
}

function progressWords({ budgets, caller }: TableFacts, { counts, ended }: TableRunView): string {
  const calls = Math.max(0, ...budgets.map(({ view }) => (view && spenderOf(view, caller)?.waiting) ?? 0));
  return `${ended} of ${counts?.planned ?? 0} rows have ended${calls > 0 ? `; the rest takes about ${counted(calls, 'call')}` : ''}`;
}

function lookWords(held: readonly HeldChunk[], now: number): string[] {
  const hold = holdOf(held);
  return hold && hold.untilMs > now ? [`once resumed it goes on when it looks again, in ${span(hold.untilMs - now)} at most`] : [];
}

function failures(waiting: TableFacts['waiting']): string[] {
  return [...new Set(waiting?.activities.flatMap(({ lastFailure }) => lastFailure ?? []))].map((failure) => `last: ${failure}`);
}
