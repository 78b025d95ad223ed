import { ServiceError, WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { pino } from 'pino';
import { sampleEvent, samplePlan } from '../test/support/sample-run';
import { refusedForGood, Starter } from './starter';

/** As the client throws it: its own error around what the connection said. */
function refused(code: number, details: string): ServiceError {
  const cause = Object.assign(new Error(`${code} ${details}`), { code, details, metadata: {} });
  return new ServiceError('Failed to start Workflow', { cause });
}

describe('a start that Temporal refuses', () => {
  test.each([
    [3, 'Blob data size exceeds limit.'],
    [8, 'grpc: received message larger than max (4300927 vs. 4194304)'],
  ])('code %d, %s: for good, with the reason', (code, details) => {
    expect(refusedForGood(refused(code, details))).toContain(details);
  });

  test.each([
    [3, 'Namespace default has no mapping defined for search attribute SynclineSync'],
    [8, 'namespace rate limit exceeded'],
    [14, 'upstream connect error'],
  ])('code %d, %s: waited out', (code, details) => {
    expect(refusedForGood(refused(code, details))).toBeNull();
  });

  test('as the worker’s own connection words it: plain errors, without details', () => {
    const cause = Object.assign(new Error('Blob data size exceeds limit.'), { name: 'ServiceError' });
    expect(refusedForGood(new ServiceError('Failed to start Workflow', { cause }))).toContain('Blob data size');
  });

  test('an error of another kind is waited out', () => {
    expect(refusedForGood(new TypeError('x'))).toBeNull();
  });
});

describe('a re-armed event whose old run is still there', () => {
  const row = { rowId: '7', syncId: 's', workflowId: 's/a/e', rearmed: true, event: sampleEvent() };

  /** Starts the one row against a Temporal that says the run exists, in the given state. */
  async function startAgain(status: string, result: unknown = undefined) {
    const calls: unknown[][] = [];
    const rows = [[row]];
    const note =
      (name: string) =>
      async (...args: unknown[]) =>
        void calls.push([name, ...args]);
    const starter = new Starter({
      client: {
        workflow: {
          start: async () => {
            throw new WorkflowExecutionAlreadyStartedError('exists', row.workflowId, 'recordSync');
          },
          getHandle: () => ({ describe: async () => ({ status: { name: status }, runId: 'old' }), result: async () => result }),
        },
      } as unknown as Client,
      inbox: {
        claimForStart: async () => rows.pop() ?? [],
        markStarted: note('started'),
        release: note('released'),
        onArrival: async () => async () => undefined,
      },
      outcomes: { record: note('recorded') },
      plans: new Map([['s', samplePlan({ syncId: 's' })]]),
      owner: 'test',
      concurrency: 1,
      log: pino({ level: 'silent' }),
    });
    await starter.start();
    await starter.stop();
    return calls;
  }

  test('running: the row waits for its close, it does not count as started', async () => {
    expect(await startAgain('RUNNING')).toEqual([['released', ['7'], 5_000]]);
  });

  test('completed after all: the row takes that end', async () => {
    const [[name, rows] = []] = await startAgain('COMPLETED', {
      outcome: 'accepted',
      code: 'LANDED_BEFORE',
      cause: 'this version had landed already',
      attempts: [{}],
      resend: 'safe',
      enrichment: { fallback: true },
    });
    expect(name).toBe('recorded');
    expect(rows).toMatchObject([
      { workflowId: 's/a/e', outcome: 'accepted', code: 'LANDED_BEFORE', cause: 'this version had landed already', attempts: 1, fallback: true },
    ]);
  });
});
