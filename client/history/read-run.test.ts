import { defaultPayloadConverter, type PayloadCodec } from '@temporalio/common';
import { loadDataConverter } from '@temporalio/common/lib/internal-non-workflow';
import { createCodec, dataConverter } from '../../platform/codec';
import { parseCodecKeys } from '../../platform/codec-keys';
import { accepted, sampleAttempt, sampleInput, sampleRecord } from '../../test/support/sample-run';
import { AttemptsSeen } from './attempts';
import { decodeHistory, isUnreadable } from './decode';
import { readRun } from './read-run';
import type { Step } from './steps';

const ids = { workflowId: 'shop-customer-to-crm/shop/e-1', runId: 'run-1' };
const plain: PayloadCodec = { encode: async (payloads) => payloads, decode: async (payloads) => payloads };

/** A history as the server sends it: payloads through `codec`, one event every 10 ms. */
class RawHistory {
  private readonly events: Record<string, unknown>[] = [];
  constructor(private readonly codec: PayloadCodec = plain) {}

  async payloads(...values: unknown[]) {
    return { payloads: await this.codec.encode(values.map((value) => defaultPayloadConverter.toPayload(value))) };
  }

  add(type: string, attributes: Record<string, unknown>, more: Record<string, unknown> = {}): number {
    const id = this.events.length + 1;
    this.events.push({
      eventId: id,
      eventTime: { seconds: Date.parse('2026-11-22T10:00:00.000Z') / 1_000, nanos: id * 10_000_000 },
      [`${type.charAt(0).toLowerCase()}${type.slice(1)}EventAttributes`]: attributes,
      ...more,
    });
    return id;
  }

  async started(input: unknown, more: Record<string, unknown> = {}): Promise<this> {
    this.add('WorkflowExecutionStarted', { workflowType: { name: 'recordSync' }, input: await this.payloads(input), ...more });
    return this;
  }

  async local(name: string, result: unknown, failure?: unknown): Promise<this> {
    this.add('MarkerRecorded', {
      markerName: 'core_local_activity',
      // The SDK's own part never passes the codec.
      details: { data: await new RawHistory().payloads({ activity_type: name, attempt: 1 }), ...(failure ? {} : { result: await this.payloads(result) }) },
      ...(failure ? { failure } : {}),
    });
    return this;
  }

  async read(seen?: AttemptsSeen) {
    return readRun(ids, await this.decoded(), seen);
  }

  decoded(codec = this.codec) {
    return decodeHistory({ events: this.events }, loadDataConverter({ payloadCodecs: [codec] }));
  }
}

const kinds = (steps: readonly Step[]): string[] => steps.map((step) => (step.kind === 'attempt' ? `attempt ${step.attempt.number}` : step.kind));

async function landed(codec?: PayloadCodec): Promise<RawHistory> {
  const history = await new RawHistory(codec).started(sampleInput());
  await history.local('prepare', { kind: 'ready', record: sampleRecord });
  const outcome = accepted();
  await history.local('deliverNow', { kind: 'done', outcome });
  history.add('WorkflowExecutionCompleted', { result: await history.payloads(outcome) });
  return history;
}

describe('a run that landed', () => {
  test('is received, started, mapped, attempted, ended', async () => {
    const trace = await (await landed()).read();
    expect(kinds(trace.steps)).toEqual(['received', 'started', 'mapped', 'attempt 1', 'ended']);
    expect(trace).toMatchObject({ status: 'completed', how: 'event', workflowType: 'recordSync', outcome: { outcome: 'accepted', vendorId: '101' } });
    expect(trace.plan?.syncId).toBe('shop-customer-to-crm');
    expect(trace.steps[2]).toMatchObject({ key: 'ada@example.com', input: sampleRecord.input });
  });

  test('is read the same through an encrypting codec', async () => {
    const keys = parseCodecKeys([Buffer.alloc(32, 7).toString('base64')]) ?? [];
    const [codec] = dataConverter(createCodec(keys)).payloadCodecs ?? [];
    expect((await (await landed(codec)).read()).steps).toEqual((await (await landed()).read()).steps);
  });

  test('keeps its steps when the key is missing, and says what could not be read', async () => {
    const keys = parseCodecKeys([Buffer.alloc(32, 7).toString('base64')]) ?? [];
    const [codec] = dataConverter(createCodec(keys)).payloadCodecs ?? [];
    const [other] = dataConverter(createCodec(parseCodecKeys([Buffer.alloc(32, 8).toString('base64')]) ?? [])).payloadCodecs ?? [];
    const events = await (await landed(codec)).decoded(other);
    const trace = readRun(ids, events);
    expect(isUnreadable((events[0]?.attributes['input'] as unknown[])[0])).toBe(true);
    expect(trace.steps.find((step) => step.kind === 'activity')).toMatchObject({ name: 'prepare', problem: expect.stringContaining('unreadable') });
  });
});

describe('a run that did not land', () => {
  test('skipped: the reason, no attempt', async () => {
    const history = await new RawHistory().started(sampleInput());
    await history.local('prepare', { kind: 'skipped', reason: 'the customer has no e-mail' });
    expect((await history.read()).steps.at(-1)).toMatchObject({ kind: 'skipped', reason: 'the customer has no e-mail' });
  });

  test('failed: the outcome comes out of the failure’s details', async () => {
    const history = await new RawHistory().started(sampleInput());
    await history.local('prepare', { kind: 'ready', record: sampleRecord });
    const attempts = [1, 2].map((number) => sampleAttempt({ number, at: `2026-11-22T10:00:0${number}.000Z` }));
    const outcome = { outcome: 'failed', code: 'UNAVAILABLE', cause: '2 attempts used up', attempts, resend: 'safe' };
    history.add('WorkflowExecutionFailed', {
      failure: { message: 'failed: …', applicationFailureInfo: { type: 'UNAVAILABLE', nonRetryable: true, details: await history.payloads(outcome) } },
    });
    const trace = await history.read();
    expect(trace).toMatchObject({ status: 'failed', outcome: { code: 'UNAVAILABLE' } });
    expect(kinds(trace.steps)).toEqual(['received', 'started', 'mapped', 'attempt 1', 'attempt 2', 'ended']);
  });

  test('terminated: closed without an outcome, with the operator’s reason', async () => {
    const history = await new RawHistory().started(sampleInput());
    history.add('WorkflowExecutionTerminated', { reason: 'wrong portal' });
    expect((await history.read()).steps.at(-1)).toMatchObject({ kind: 'closed', status: 'terminated', problem: 'wrong portal' });
  });
});

describe('attempts', () => {
  test('are told once, though every later result carries them again', async () => {
    const first = sampleAttempt();
    const second = sampleAttempt({ number: 2, at: '2026-11-22T10:00:02.000Z', status: 200, code: 'OK' });
    const history = await new RawHistory().started(sampleInput());
    await history.local('deliverNow', { kind: 'retry', waitMs: 100, attempts: [first] });
    const scheduled = history.add('ActivityTaskScheduled', {
      activityId: '3',
      activityType: { name: 'deliver' },
      input: await history.payloads({ attempts: [first] }),
    });
    history.add('ActivityTaskStarted', { scheduledEventId: scheduled, attempt: 1 });
    const outcome = accepted([first, second]);
    history.add('ActivityTaskCompleted', { scheduledEventId: scheduled, result: await history.payloads({ kind: 'done', outcome }) });
    history.add('WorkflowExecutionCompleted', { result: await history.payloads(outcome) });
    expect(kinds((await history.read()).steps)).toEqual(['received', 'started', 'attempt 1', 'attempt 2', 'ended']);
  });

  test('of the run before are told there, not again after continue-as-new', async () => {
    const seen = new AttemptsSeen();
    const first = await new RawHistory().started(sampleInput());
    await first.local('deliverNow', { kind: 'held', cause: 'breaker', untilMs: 1_795_341_660_000, attempts: [sampleAttempt()] });
    first.add('WorkflowExecutionContinuedAsNew', { newExecutionRunId: 'run-2', input: await first.payloads({}) });
    const before = await first.read(seen);
    expect(kinds(before.steps)).toEqual(['received', 'started', 'attempt 1', 'held', 'continued']);
    expect(before).toMatchObject({ status: 'continued', nextRunId: 'run-2' });

    const carried = { attempts: [sampleAttempt()], cycles: 1, cycleStart: 1, startedAtMs: 0 };
    const second = await new RawHistory().started(sampleInput({ carried }), { continuedExecutionRunId: 'run-1' });
    const after = await second.read(seen);
    expect(after).toMatchObject({ how: 'continued', previousRunId: 'run-1', status: 'running' });
    expect(kinds(after.steps)).toEqual(['started']);
  });

  test('carried over stand in the later run when the earlier history is gone', async () => {
    const carried = { attempts: [sampleAttempt()], cycles: 1, cycleStart: 1, startedAtMs: 0 };
    const run = await (await new RawHistory().started(sampleInput({ carried }), { continuedExecutionRunId: 'run-1' })).read();
    expect(kinds(run.steps)).toEqual(['started', 'attempt 1']);
  });
});

test('a replay is known by its lane, and says when it resends', async () => {
  const input = sampleInput({ resendEqual: true });
  input.plan.budget = { ...input.plan.budget, lane: 'replay' };
  const trace = await (await new RawHistory().started(input)).read();
  expect(trace.how).toBe('replay');
  expect(trace.steps[0]).toMatchObject({ kind: 'started', how: 'replay', resendEqual: true });
});

test('enrichment that fell back says why', async () => {
  const history = await new RawHistory().started(sampleInput());
  await history.local('enrich', { fallback: true, cause: 'leadscore took longer than 1000 ms', tookMs: 1_001 });
  expect((await history.read()).steps.at(-1)).toMatchObject({ kind: 'enriched', name: 'enrich', fallback: true, tookMs: 1_001 });
});

test('a durable wait has its length once it is over, and none before', async () => {
  const history = await new RawHistory().started(sampleInput());
  const timer = history.add(
    'TimerStarted',
    { timerId: '1', startToFireTimeout: { seconds: 30 } },
    { userMetadata: { summary: (await history.payloads('held: breaker')).payloads[0] } },
  );
  expect((await history.read()).steps.at(-1)).toMatchObject({ kind: 'waited', what: 'held: breaker', forMs: 30_000, tookMs: null });
  history.add('TimerFired', { timerId: '1', startedEventId: timer });
  expect((await history.read()).steps.at(-1)).toMatchObject({ kind: 'waited', tookMs: 10 });
});

test('an activity that is still open, one that failed in its own way, and events of no meaning here', async () => {
  const history = await new RawHistory().started(sampleInput());
  history.add('WorkflowTaskScheduled', { taskQueue: { name: 'syncline' } });
  await history.local('recordOutcome', undefined, { message: 'the ledger was away', applicationFailureInfo: { type: 'Error' } });
  history.add('ActivityTaskScheduled', { activityId: '9', activityType: { name: 'deliver' } });
  const { steps } = await history.read();
  expect(steps.slice(2)).toMatchObject([
    { kind: 'activity', name: 'recordOutcome', state: 'failed', problem: 'Error: the ledger was away' },
    { kind: 'activity', name: 'deliver', state: 'open' },
  ]);
});

test('a reset run says where it was taken over from', async () => {
  const history = await landed();
  history.add('WorkflowTaskFailed', {
    cause: 'WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW',
    baseRunId: 'run-0',
    newRunId: 'run-1',
    failure: { message: 'replay --from delivery' },
  });
  const trace = await history.read();
  expect(trace).toMatchObject({ how: 'reset', previousRunId: 'run-0' });
  expect(trace.steps.at(-1)).toMatchObject({ kind: 'operator', what: expect.stringContaining('run-0') });
});
