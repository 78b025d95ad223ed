import { ServiceError, WorkflowNotFoundError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { TemporalAccess } from '../context';
import { main } from '../main';
import { fakeContext, recordedTerminal } from '../testing/fake-context';

/** A server on which every budget answers a change like this. */
function temporal(executeUpdate: () => Promise<unknown>): TemporalAccess {
  const client = { workflow: { getHandle: () => ({ executeUpdate }) }, withDeadline: (_: number, ask: () => Promise<unknown>) => ask() };
  return { client: client as unknown as TemporalAccess['client'], namespace: 'test', address: 'test:1' };
}

async function change(error: Error) {
  const terminal = recordedTerminal();
  const openContext = () => fakeContext(terminal, { temporal: temporal(() => Promise.reject(error)) });
  const code = await main(['budget', 'pause', 'hubspot/main', 'all'], { terminal, env: {}, openContext });
  return { code, err: terminal.err.join('\n') };
}

const grpc = (code: number, details: string) => Object.assign(new Error(`${code} ${details}`), { code, details, metadata: {} });

describe('a change that did not come about', () => {
  test('refused by the budget: usage, in its own words', async () => {
    const refusal = ApplicationFailure.create({ message: 'guaranteed shares sum to 1.5, more than 1' });
    expect(await change(new WorkflowUpdateFailedError('refused', refusal))).toEqual({ code: 2, err: expect.stringContaining('sum to 1.5') });
  });

  test('a budget that nobody ever spent from: usage', async () => {
    expect(await change(new WorkflowNotFoundError('not found', 'budget/hubspot/main', undefined))).toEqual({
      code: 2,
      err: expect.stringContaining('has not started'),
    });
  });

  test.each([
    ['no worker in time', new WorkflowUpdateRPCTimeoutOrCancelledError('Deadline exceeded', { cause: grpc(4, 'Deadline exceeded') })],
    ['the server is away', new ServiceError('Workflow Update failed', { cause: grpc(14, 'connection refused') })],
  ])('%s: unreachable, and it may still take effect', async (_name, error) => {
    const { code, err } = await change(error);
    expect(code).toBe(3);
    expect(err).toMatch(/hubspot\/main does not answer; the change may still take effect once a worker runs/);
    expect(err).toMatch(/next: +start a worker, then see what is in force: npx syncline budget hubspot\/main/);
  });

  test('the server refuses: neither usage nor unreachable', async () => {
    const { code, err } = await change(new ServiceError('Workflow Update failed', { cause: grpc(7, 'not allowed') }));
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('Temporal refused: not allowed') });
  });
});
