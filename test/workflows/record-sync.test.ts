import { type WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { activityInfo, heartbeat } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { randomUUID } from 'node:crypto';
import type { Activities } from '../../activities';
import { INDEXED_VALUE_TYPE, searchAttributes } from '../../client/sandbox/namespace';
import type { AttemptEnd, RecordOutcome } from '../../schemas/outcome';
import type { DeliverInput, DeliverResult, RecordOutcomeInput, RecordSyncInput } from '../../schemas/run';
import { workflowBundle } from '../../workers/bundle';
import { vendorTaskQueue } from '../../workflows/ids';
import type { recordSync } from '../../workflows';
import { accepted, sampleAttempt, sampleInput, samplePlan } from '../support/sample-run';
import { testServerBinary } from '../support/servers';
import { stubActivities } from '../support/stub-activities';

let environment: TestWorkflowEnvironment;
let bundle: { code: string };

beforeAll(async () => {
  // Failing runs are what these tests are about: the SDK's word on each would drown the report.
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR', forward: {} } } });
  environment = await TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path: testServerBinary() } } });
  const types = Object.entries(searchAttributes).map(([name, type]) => [name, INDEXED_VALUE_TYPE[type]]);
  await environment.connection.operatorService.addSearchAttributes({ namespace: 'default', searchAttributes: Object.fromEntries(types) });
  bundle = await workflowBundle();
});
afterAll(() => environment?.teardown());

/** Runs one recordSync to its end, with workers on its own main queue and on the vendor's. */
async function run(
  activities: Partial<Activities>,
  change: Partial<RecordSyncInput> = {},
  { during, unserved = false }: { during?: (handle: WorkflowHandle<typeof recordSync>) => Promise<void>; unserved?: boolean } = {},
) {
  const account = randomUUID();
  const plan = { ...samplePlan(), ...change.plan, account: unserved ? 'nobody' : account };
  const taskQueue = `main-${account}`;
  const all = stubActivities(activities);
  const { nativeConnection: connection, namespace } = environment;
  const main = await Worker.create({ connection, namespace: namespace ?? 'default', taskQueue, workflowBundle: bundle, activities: all });
  const queues = await Promise.all(
    (['live', 'bulk'] as const).map((kind) =>
      Worker.create({ connection, namespace: namespace ?? 'default', taskQueue: vendorTaskQueue(plan.vendor, account, kind), activities: all }),
    ),
  );
  const running = queues.map((worker) => worker.run());
  try {
    return await main.runUntil(async () => {
      const handle = await environment.client.workflow.start<typeof recordSync>('recordSync', {
        taskQueue,
        workflowId: `run-${account}`,
        args: [{ ...sampleInput(), ...change, plan }],
      });
      await during?.(handle);
      const result = await handle.result().then(
        (outcome) => ({ outcome, failure: undefined }),
        (error: unknown) => ({ outcome: undefined, failure: error as WorkflowFailedError }),
      );
      return { ...result, history: await handle.fetchHistory(), description: await handle.describe() };
    });
  } finally {
    for (const worker of queues) worker.shutdown();
    await Promise.all(running);
  }
}

function failureOf(failure: WorkflowFailedError | undefined): { type: string | null | undefined; details: RecordOutcome } {
  expect(failure?.cause).toBeInstanceOf(ApplicationFailure);
  const cause = failure?.cause as ApplicationFailure;
  return { type: cause.type, details: cause.details?.[0] as RecordOutcome };
}

describe('recordSync', () => {
  test('accepted on the fast path: no activity task at all', async () => {
    const { outcome, history } = await run({});
    expect(outcome).toMatchObject({ outcome: 'accepted', vendorId: '101' });
    expect(history.events?.some((event) => event.activityTaskScheduledEventAttributes)).toBe(false);
  });

  test.each([
    [
      'invalid',
      {
        kind: 'invalid',
        code: 'CONTRACT_VIOLATION',
        cause: 'email: expected string, found number',
        violations: [{ field: 'email', expected: 'string', found: 'number' }],
      },
      'CONTRACT_VIOLATION',
    ],
    ['failed', { kind: 'failed', code: 'MAPPING_ERROR', cause: 'the mapping threw' }, 'MAPPING_ERROR'],
  ] as const)('%s at prepare: nothing is delivered, the run fails with the cause as type, the ledger knows', async (name, prepared, type) => {
    const recorded: RecordOutcomeInput[] = [];
    const deliver = jest.fn();
    const { failure } = await run({
      prepare: async () => prepared as never,
      deliverNow: deliver,
      deliver,
      recordOutcome: async (input) => void recorded.push(input),
    });
    expect(failureOf(failure)).toMatchObject({ type, details: { outcome: name, cause: prepared.cause } });
    expect(recorded).toMatchObject([{ outcome: { outcome: name } }]);
    expect(deliver).not.toHaveBeenCalled();
  });

  test('skipped by the mapping: completed, with the reason', async () => {
    const { outcome } = await run({ prepare: async () => ({ kind: 'skipped', reason: 'no e-mail' }) });
    expect(outcome).toMatchObject({ outcome: 'skipped', cause: 'no e-mail' });
  });

  test('rejected by the vendor: failed, the vendor’s words in the details', async () => {
    const rejected: RecordOutcome = {
      outcome: 'rejected',
      code: 'PROPERTY_DOESNT_EXIST',
      cause: 'no such property',
      vendorSaid: { message: 'Property "x" does not exist' },
      attempts: [sampleAttempt({ status: 207 })],
      resend: 'safe',
    };
    const { failure } = await run({ deliverNow: async () => ({ kind: 'done', outcome: rejected }) });
    expect(failureOf(failure)).toEqual({ type: 'PROPERTY_DOESNT_EXIST', details: rejected });
  });

  test('retries on the vendor’s queue, each attempt in the final outcome', async () => {
    const seen: number[] = [];
    const deliver = async (input: DeliverInput): Promise<DeliverResult> => {
      const before = (activityInfo() as { heartbeatDetails?: AttemptEnd[] }).heartbeatDetails ?? input.attempts;
      seen.push(activityInfo().attempt);
      if (activityInfo().attempt === 3)
        return { kind: 'done', outcome: accepted([...before, sampleAttempt({ number: before.length + 1, code: 'OK', status: 200 })]) };
      const attempts = [...before, sampleAttempt({ number: before.length + 1 })];
      heartbeat(attempts);
      throw ApplicationFailure.create({ type: 'UNAVAILABLE', message: 'the vendor answered 503', nextRetryDelay: '2s', details: [{ attempts }] });
    };
    const { outcome } = await run({ deliverNow: async () => ({ kind: 'retry', waitMs: 100, attempts: [sampleAttempt()] }), deliver });
    expect(seen).toEqual([1, 2, 3]);
    expect(outcome?.attempts.map(({ number, code }) => [number, code])).toEqual([
      [1, 'UNAVAILABLE'],
      [2, 'UNAVAILABLE'],
      [3, 'UNAVAILABLE'],
      [4, 'OK'],
    ]);
  });

  test('attempts used up: maxAttempts counts the fast path’s', async () => {
    let calls = 0;
    const deliver = async (input: DeliverInput): Promise<DeliverResult> => {
      calls++;
      const attempts = [...input.attempts, ...Array.from({ length: calls }, (_, index) => sampleAttempt({ number: input.attempts.length + index + 1 }))];
      throw ApplicationFailure.create({ type: 'UNAVAILABLE', message: 'the vendor answered 503', details: [{ attempts }] });
    };
    const { failure } = await run(
      { deliverNow: async () => ({ kind: 'retry', waitMs: 1, attempts: [sampleAttempt()] }), deliver },
      { plan: samplePlan({ retry: { maxAttempts: 3, initialIntervalMs: 10, maxIntervalMs: 100, expireAfterMs: 60_000 } }) },
    );
    expect(calls).toBe(2);
    const { type, details } = failureOf(failure);
    expect(type).toBe('UNAVAILABLE');
    expect(details).toMatchObject({ outcome: 'failed', cause: '3 attempts used up: the vendor answered 503' });
    expect(details.attempts).toHaveLength(3);
  });

  test('maxAttempts 1: the fast path’s failure is the end', async () => {
    const deliver = jest.fn();
    const { failure } = await run(
      { deliverNow: async () => ({ kind: 'retry', waitMs: 1, attempts: [sampleAttempt()] }), deliver },
      { plan: samplePlan({ retry: { maxAttempts: 1, initialIntervalMs: 10, maxIntervalMs: 100, expireAfterMs: 60_000 } }) },
    );
    expect(failureOf(failure).details.outcome).toBe('failed');
    expect(deliver).not.toHaveBeenCalled();
  });

  test('an outage of two hours: held durably, each cycle has its full attempts, then it lands', async () => {
    const startedAt = await environment.currentTimeMs();
    const deliver = async (input: DeliverInput): Promise<DeliverResult> => {
      const now = await environment.currentTimeMs();
      if (now > startedAt + 2 * 3_600_000) return { kind: 'done', outcome: accepted(input.attempts) };
      return {
        kind: 'held',
        cause: 'breaker',
        untilMs: now + 15 * 60_000,
        attempts: [...input.attempts, sampleAttempt({ number: input.attempts.length + 1 })],
        othersLanded: false,
      };
    };
    const { outcome, history } = await run({
      deliverNow: async () => ({ kind: 'held', cause: 'breaker', untilMs: startedAt + 30_000, attempts: [] }),
      deliver,
    });
    expect(outcome?.outcome).toBe('accepted');
    expect(outcome?.attempts.length).toBeGreaterThanOrEqual(8);
    const timers = history.events?.filter((event) => event.timerStartedEventAttributes) ?? [];
    expect(timers.length).toBeGreaterThanOrEqual(8);
  });

  test('a record that fails in three cycles while others land ends failed', async () => {
    let cycles = 0;
    const deliver = async (input: DeliverInput): Promise<DeliverResult> => {
      cycles++;
      return {
        kind: 'held',
        cause: 'breaker',
        untilMs: (await environment.currentTimeMs()) + 30_000,
        attempts: [...input.attempts, sampleAttempt({ number: input.attempts.length + 1 })],
        othersLanded: true,
      };
    };
    const { failure } = await run({ deliverNow: async () => ({ kind: 'held', cause: 'budget', untilMs: 0, attempts: [] }), deliver });
    expect(cycles).toBe(3);
    expect(failureOf(failure).details).toMatchObject({ outcome: 'failed', code: 'UNAVAILABLE' });
  });

  test('held longer than expireAfter ends expired', async () => {
    const deliver = async (input: DeliverInput): Promise<DeliverResult> => ({
      kind: 'held',
      cause: 'breaker',
      untilMs: (await environment.currentTimeMs()) + 3_600_000,
      attempts: input.attempts,
      othersLanded: false,
    });
    const { failure } = await run({ deliverNow: async () => ({ kind: 'held', cause: 'budget', untilMs: 0, attempts: [] }), deliver });
    expect(failureOf(failure)).toMatchObject({ type: 'EXPIRED', details: { outcome: 'expired' } });
  });

  test('nobody takes the record from the queue: expired, and nothing is in flight', async () => {
    // Time is not skipped while an activity is scheduled: seconds, in real time.
    const plan = samplePlan({ retry: { maxAttempts: 5, initialIntervalMs: 100, maxIntervalMs: 1_000, expireAfterMs: 2_000 } });
    const { failure } = await run({ deliverNow: async () => ({ kind: 'held', cause: 'budget', untilMs: 0, attempts: [] }) }, { plan }, { unserved: true });
    expect(failureOf(failure).details.outcome).toBe('expired');
  });

  test('enrichment that gives no answer falls back, and the outcome says so', async () => {
    const prepare = jest.fn(stubActivities().prepare);
    const { outcome } = await run(
      {
        enrich: async () => {
          throw new Error('boom');
        },
        prepare,
        deliverNow: async (input) => ({ kind: 'done', outcome: { ...accepted(), ...(input.enrichment ? { enrichment: input.enrichment } : {}) } }),
      },
      { plan: samplePlan({ enrich: { name: 'lead score', vendor: 'leadscore', account: 'scoring', timeoutMs: 500 } }) },
    );
    expect(prepare.mock.calls[0]?.[0].enrichment).toMatchObject({ fallback: true });
    expect(outcome?.enrichment).toEqual({ fallback: true, cause: 'enrichment lead score gave no answer' });
  });

  test('a replay goes through the bulk queue, without the fast path', async () => {
    const deliverNow = jest.fn();
    const queues: string[] = [];
    const { outcome } = await run(
      {
        deliverNow,
        deliver: async () => {
          queues.push(activityInfo().taskQueue);
          return { kind: 'done', outcome: accepted() };
        },
      },
      { plan: samplePlan({ budget: { lane: 'replay' } }) },
    );
    expect(outcome?.outcome).toBe('accepted');
    expect(deliverNow).not.toHaveBeenCalled();
    expect(queues[0]).toMatch(/\/bulk$/);
  });

  test('cancelled: the ledger has an end for it, and the run is cancelled', async () => {
    const recorded: RecordOutcomeInput[] = [];
    const { failure } = await run(
      {
        deliverNow: async () => ({ kind: 'held', cause: 'breaker', untilMs: (await environment.currentTimeMs()) + 3_600_000, attempts: [] }),
        recordOutcome: async (input) => void recorded.push(input),
      },
      {},
      {
        during: async (handle) => {
          await environment.sleep('10s');
          await handle.cancel();
        },
      },
    );
    expect(failure?.cause).toBeInstanceOf(CancelledFailure);
    expect(recorded).toMatchObject([{ outcome: { outcome: 'failed', code: 'CANCELLED' } }]);
  });

  test('an activity that fails outside the taxonomy is retried and surfaced, never forgotten', async () => {
    let tries = 0;
    const { outcome } = await run({
      prepare: async (input) => {
        if (++tries < 3) throw new TypeError('a bug');
        return stubActivities().prepare(input);
      },
    });
    expect(tries).toBe(3);
    expect(outcome?.outcome).toBe('accepted');
  });
});
