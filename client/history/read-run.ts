import { AttemptsSeen, attemptsIn } from './attempts';
import { isObject, milliseconds, type PlainEvent } from './decode';
import { failureText, inputOf, outcomeIn, type StepBody, stepOfResult, text } from './shapes';
import type { RunStatus, RunTrace, Step } from './steps';

/**
 * One run's history as steps. Pure. `seen` is shared by the runs of one workflow id, so that an attempt carried over by
 * continue-as-new is told once.
 */
export function readRun(ids: { workflowId: string; runId: string }, events: readonly PlainEvent[], seen = new AttemptsSeen()): RunTrace {
  const reader = new RunReader(ids, seen);
  for (const event of events) reader.read(event);
  return reader.finish(events.length);
}

interface OpenActivity {
  name: string;
  at: number;
  summary?: string;
  attempts: number;
}

class RunReader {
  private readonly trace: RunTrace;
  private readonly activities = new Map<number, OpenActivity>();
  private readonly timers = new Map<number, { at: number; forMs: number; what: string; step: Extract<Step, { kind: 'waited' }> }>();

  constructor(
    ids: { workflowId: string; runId: string },
    private readonly seen: AttemptsSeen,
  ) {
    this.trace = {
      ...ids,
      workflowType: '',
      startedAt: 0,
      closedAt: null,
      status: 'running',
      how: 'event',
      plan: null,
      event: null,
      outcome: null,
      steps: [],
      nextRunId: null,
      previousRunId: null,
      historyEvents: 0,
    };
  }

  read(event: PlainEvent): void {
    const { attributes } = event;
    switch (event.type) {
      case 'workflowExecutionStarted':
        return this.started(event);
      case 'activityTaskScheduled':
        this.activities.set(event.id, {
          name: text(isObject(attributes['activityType']) ? attributes['activityType']['name'] : ''),
          at: event.at,
          attempts: 0,
          ...(event.summary === undefined ? {} : { summary: event.summary }),
        });
        return;
      case 'activityTaskStarted':
        return this.activityStarted(attributes);
      case 'activityTaskCompleted':
        return this.activityEnded(event, 'done', single(attributes['result']));
      case 'activityTaskFailed':
        return this.activityEnded(event, 'failed', attributes['failure']);
      case 'activityTaskTimedOut':
        return this.activityEnded(event, 'timed-out', attributes['failure']);
      case 'activityTaskCanceled':
        return this.activityEnded(event, 'cancelled', attributes['details']);
      case 'markerRecorded':
        return this.marker(event);
      case 'timerStarted':
        return this.timerStarted(event);
      case 'timerFired':
      case 'timerCanceled':
        return this.timerEnded(event);
      case 'workflowExecutionSignaled':
        return this.add(event.at, { kind: 'signal', name: text(attributes['signalName']) });
      case 'workflowExecutionCancelRequested':
        return this.add(event.at, { kind: 'operator', what: 'cancel requested', ...reasonOf(attributes['cause']) });
      case 'workflowTaskFailed':
        return this.workflowTaskFailed(event);
      default:
        if (event.type.startsWith('workflowExecution')) this.ended(event);
    }
  }

  finish(historyEvents: number): RunTrace {
    for (const activity of this.activities.values()) {
      const { at, name, summary, attempts } = activity;
      this.add(at, { kind: 'activity', name, state: 'open', attempts, ...(summary === undefined ? {} : { summary }) });
    }
    this.trace.historyEvents = historyEvents;
    return this.trace;
  }

  private started({ at, attributes }: PlainEvent): void {
    const { plan, event, resendEqual, carried } = inputOf(attributes['input']);
    const { trace } = this;
    trace.workflowType = text(isObject(attributes['workflowType']) ? attributes['workflowType']['name'] : '');
    trace.startedAt = at;
    trace.plan = plan;
    trace.event = event;
    trace.previousRunId = text(attributes['continuedExecutionRunId']) || null;
    trace.how = carried || trace.previousRunId ? 'continued' : plan?.budget.lane === 'replay' ? 'replay' : 'event';
    if (event && trace.how === 'event') {
      const { body: _body, ...facts } = event;
      this.add(Date.parse(event.receivedAt) || at, { kind: 'received', event: facts });
    }
    this.add(at, { kind: 'started', how: trace.how, plan, resendEqual });
    // Runs older than this history may be gone: what they carried over is all that is left of their attempts.
    this.addAttempts(at, attributes['input']);
  }

  private activityStarted(attributes: PlainEvent['attributes']): void {
    const activity = this.activities.get(Number(attributes['scheduledEventId']));
    if (!activity) return;
    activity.attempts = Number(attributes['attempt'] ?? 1);
    this.addAttempts(activity.at, attributes['lastFailure']);
  }

  private activityEnded(event: PlainEvent, state: 'done' | 'failed' | 'timed-out' | 'cancelled', end: unknown): void {
    const scheduledId = Number(event.attributes['scheduledEventId']);
    const activity = this.activities.get(scheduledId) ?? { name: 'activity', at: event.at, attempts: 1 };
    this.activities.delete(scheduledId);
    this.addAttempts(event.at, end);
    if (state === 'done') return this.addResult(event.at, activity, end);
    this.addFailed(event.at, activity, state, end);
  }

  private marker(event: PlainEvent): void {
    const { attributes, summary } = event;
    if (attributes['markerName'] !== 'core_local_activity') return;
    const details = isObject(attributes['details']) ? attributes['details'] : {};
    const data = withTimes(single(details['data']));
    const facts = isObject(data) ? data : {};
    const name = text(facts['activity_type'] ?? facts['activityType']) || 'local activity';
    // The marker is written when the whole workflow task ends: several steps later, with the same time for all of them.
    const at = typeof facts['original_schedule_time'] === 'number' ? facts['original_schedule_time'] : event.at;
    const activity: OpenActivity = { name, at, attempts: Number(facts['attempt'] ?? 1), ...(summary === undefined ? {} : { summary }) };
    const { failure } = attributes;
    this.addAttempts(at, failure ?? details['result']);
    if (isObject(failure)) this.addFailed(at, activity, 'failed', failure);
    else this.addResult(at, activity, single(details['result']));
  }

  private addResult(at: number, activity: OpenActivity, result: unknown): void {
    const { name, attempts, summary } = activity;
    if (isObject(result) && (result['kind'] === 'done' || result['kind'] === 'retry')) return; // told by attempts and the end
    const step = stepOfResult(name, result);
    this.add(at, step ?? { kind: 'activity', name, state: 'done', attempts, ...(summary === undefined ? {} : { summary }) });
  }

  private addFailed(at: number, activity: OpenActivity, state: 'failed' | 'timed-out' | 'cancelled', failure: unknown): void {
    // A delivery that used up its attempts is told by them and by the end.
    if (state === 'failed' && attemptsIn(failure).length > 0) return;
    const { name, attempts, summary } = activity;
    this.add(at, { kind: 'activity', name, state, attempts, problem: failureText(failure), ...(summary === undefined ? {} : { summary }) });
  }

  private timerStarted({ id, at, attributes, summary }: PlainEvent): void {
    const forMs = Number(attributes['startToFireTimeout'] ?? 0);
    const what = summary ?? 'wait';
    const step: Extract<Step, { kind: 'waited' }> = { at, kind: 'waited', what, forMs, tookMs: null };
    this.timers.set(id, { at, forMs, what, step });
    this.trace.steps.push(step);
  }

  private timerEnded({ at, attributes }: PlainEvent): void {
    const timer = this.timers.get(Number(attributes['startedEventId']));
    if (timer) timer.step.tookMs = at - timer.at;
  }

  private workflowTaskFailed({ at, attributes }: PlainEvent): void {
    if (attributes['newRunId'] && attributes['baseRunId']) {
      this.trace.how = 'reset';
      this.trace.previousRunId = text(attributes['baseRunId']);
      return this.add(at, {
        kind: 'operator',
        what: `reset from run ${text(attributes['baseRunId'])}: steps above were taken over`,
        ...reasonOf(attributes['failure'] && failureText(attributes['failure'])),
      });
    }
    this.add(at, { kind: 'activity', name: 'workflow code', state: 'failed', attempts: 1, problem: failureText(attributes['failure']) });
  }

  private ended({ at, type, attributes }: PlainEvent): void {
    const status = endings[type];
    if (!status) return;
    const { trace } = this;
    trace.status = status;
    trace.closedAt = at;
    if (status === 'continued') {
      trace.nextRunId = text(attributes['newExecutionRunId']);
      return this.add(at, { kind: 'continued', runId: trace.nextRunId });
    }
    const end = status === 'completed' ? single(attributes['result']) : attributes['failure'];
    this.addAttempts(at, end);
    trace.outcome = outcomeIn(end);
    if (trace.outcome) return this.add(at, { kind: 'ended', outcome: trace.outcome });
    const problem = text(attributes['reason']) || (isObject(end) ? failureText(end) : '');
    this.add(at, { kind: 'closed', status, ...(problem ? { problem } : {}) });
  }

  private addAttempts(at: number, value: unknown): void {
    for (const attempt of this.seen.fresh(value)) this.add(Date.parse(attempt.at) || at, { kind: 'attempt', attempt });
  }

  private add(at: number, step: StepBody): void {
    this.trace.steps.push({ at, ...step });
  }
}

const endings: Partial<Record<string, RunStatus>> = {
  workflowExecutionCompleted: 'completed',
  workflowExecutionFailed: 'failed',
  workflowExecutionCanceled: 'cancelled',
  workflowExecutionTerminated: 'terminated',
  workflowExecutionTimedOut: 'timed-out',
  workflowExecutionContinuedAsNew: 'continued',
};

/** The SDK's own record of a local activity carries times as JSON, outside protobuf. */
function withTimes(data: unknown): unknown {
  if (!isObject(data)) return data;
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, isObject(value) && 'seconds' in value ? milliseconds(value) : value]));
}

/** Results come as a list of one. */
function single(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : value;
}

function reasonOf(reason: unknown): { reason?: string } {
  return typeof reason === 'string' && reason !== '' ? { reason } : {};
}
