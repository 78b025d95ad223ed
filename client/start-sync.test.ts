import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { createStarter } from './start-sync';
import { acmeSyncs } from './testing/acme';

const [sync] = acmeSyncs;
if (!sync) throw new Error('no sync');
const event = { id: 'e1', topic: 'thing.created', occurredAt: null, body: { id: 'e1' } };

function fakeClient(start: (type: string, options: unknown) => Promise<unknown>) {
  return { workflow: { start, getHandle: (workflowId: string) => ({ workflowId }) } } as unknown as Pick<Client, 'workflow'>;
}

test("starts the run under the inbox's id", async () => {
  const calls: unknown[] = [];
  const client = fakeClient((type, options) => (calls.push([type, options]), Promise.resolve({ workflowId: 'x' })));
  const started = await createStarter({ client, clock: () => 1_700_000_000_000.25 }).startSync(sync, event);
  expect(started).toMatchObject({ workflowId: 'things-to-crm/shop/e1', duplicate: false, handle: { workflowId: 'x' } });
  expect(calls).toEqual([
    [
      'recordSync',
      expect.objectContaining({
        workflowId: 'things-to-crm/shop/e1',
        taskQueue: 'syncline',
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        args: [
          {
            plan: expect.objectContaining({ syncId: 'things-to-crm' }),
            event: {
              ...{ id: 'e1', source: 'acme', account: 'shop', topic: 'thing.created', body: { id: 'e1' } },
              receivedAt: '2023-11-14T22:13:20.000Z',
              version: { at: 1_700_000_000_000, arrival: 1_700_000_000_000_250 },
            },
          },
        ],
      }),
    ],
  ]);
});

test("already started is started; other errors are the caller's", async () => {
  const there = fakeClient(() => Promise.reject(new WorkflowExecutionAlreadyStartedError('there', 'id', 'recordSync')));
  expect(await createStarter({ client: there }).startSync(sync, event)).toEqual({
    workflowId: 'things-to-crm/shop/e1',
    duplicate: true,
    handle: { workflowId: 'things-to-crm/shop/e1' },
  });
  const away = fakeClient(() => Promise.reject(new Error('unavailable')));
  await expect(createStarter({ client: away }).startSync(sync, event)).rejects.toThrow('unavailable');
});
