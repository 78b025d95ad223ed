import { fakeContext, fakeLedger, recordedTerminal, runLine, testKeyHmac } from '../testing/fake-context';
import { recordedTemporal } from '../testing/recorded-temporal';
import { explain } from './explain';

const email = 'ada@example.com';
const [hmac] = testKeyHmac.all(email) as [string];
const open = runLine({ eventId: 'e-2', workflowId: 'w-open', state: 'started', outcome: null, closedAt: null });
const ended = runLine({ eventId: 'e-1', workflowId: 'w-ended' });

/** The run that is explained, for an e-mail address: what the ledger knows by its key, and what Temporal's index does. */
async function explained(booked: readonly string[], underWay: readonly string[]): Promise<unknown> {
  const ledger = fakeLedger([ended, open], ({ workflowId }) => (booked.includes(workflowId) ? [hmac] : []));
  const temporal = recordedTemporal('accepted-on-fast-path', (query) => (query.includes(`SynclineKeys IN ('${hmac}'`) ? [...underWay] : []));
  // Its history is another's, whichever it is: which run was asked for is all that is looked at.
  const get = temporal.client.workflow.getHandle.bind(temporal.client.workflow);
  temporal.client.workflow.getHandle = ((id: string) => (id.includes('@') ? recordedTemporal().client.workflow.getHandle(id) : get(id))) as typeof get;
  const answer = await explain(fakeContext(recordedTerminal(), { ledger, temporal }), email);
  return (answer.document as { workflowId: string }).workflowId;
}

describe('by an e-mail address', () => {
  test('a record under way, whose key the ledger learns only when it ends', async () => {
    expect(await explained([], ['w-open'])).toBe('w-open');
  });

  test('of several the one that is not there yet, not one that ended before or since', async () => {
    expect(await explained(['w-ended'], ['w-open'])).toBe('w-open');
    expect(await explained(['w-ended'], [])).toBe('w-ended');
  });

  test('nobody knows it: no address in the answer', async () => {
    await expect(explained([], [])).rejects.toMatchObject({ facts: { exitCode: 1, where: 'the key given' } });
  });
});
