import { WorkflowNotFoundError } from '@temporalio/client';
import { recordSyncType, startOptions } from '../../platform/start-options';
import type { RecordSyncInput } from '../../schemas/run';
import { checkRun } from '../support/chaos-checker';
import { callsInFlight, collect, readHistory, until } from '../support/chaos-collect';
import { customer } from '../support/chaos-events';
import { FakeProvider, workflowIdOf, type ProviderEvent } from '../support/chaos-provider';
import { startStack, type Stack } from '../support/stack';

jest.setTimeout(120_000);
let stack: Stack;
/** Its gateway is the stack's first one; `second` is another process on the same inbox. */
let provider: FakeProvider;
let first: string;
let second: string;
let rows = 0;

beforeAll(async () => {
  stack = await startStack({ name: 'redelivery' });
  first = stack.gatewayUrl();
  await stack.startGateway();
  second = stack.gatewayUrl();
  provider = new FakeProvider({ gatewayUrl: () => first });
});
afterAll(() => stack?.stop());

/** A customer of their own, and an event of theirs. */
function someone(n: number): { event: ProviderEvent; id: string; email: string } {
  const email = `someone-${n}@example.com`;
  const event = customer(n, email, n);
  rows += 1;
  return { event, id: workflowIdOf(event), email };
}
const settled = () => stack.settled(rows);
const lineOf = async (id: string) => (await stack.ledger.queries.runs({ id, limit: 10 }))[0];
const recordOf = async (email: string) => (await stack.hubspot.records()).find(({ key }) => key === email);
const statusesOf = async (id: string) => {
  const statuses: string[] = [];
  for await (const { status } of stack.client.workflow.list({ query: `WorkflowId = '${id}'` })) statuses.push(status.name);
  return statuses.sort();
};

test('while the run is under way: one run, one write, counted', async () => {
  const { event, id, email } = someone(1);
  await stack.hubspot.fault({ kind: 'slow', ms: 1_500, match: { email } });
  expect((await provider.post(event)).code).toBe('ACCEPTED');
  await until('the call is at the vendor', async () => (await callsInFlight(stack)) > 0);
  expect(await provider.post(event)).toMatchObject({ status: 200, code: 'DUPLICATE' });
  expect(await provider.post(event, second)).toMatchObject({ status: 200, code: 'DUPLICATE' });
  await settled();
  expect(await lineOf(id)).toMatchObject({ outcome: 'accepted', duplicates: 2 });
  expect(await recordOf(email)).toMatchObject({ version: 1 });
});

test('after success: nothing runs again', async () => {
  const { event, id, email } = someone(2);
  await provider.send(event);
  await settled();
  for (const gateway of [first, second]) expect(await provider.post(event, gateway)).toMatchObject({ status: 200, code: 'DUPLICATE' });
  expect(await lineOf(id)).toMatchObject({ outcome: 'accepted', duplicates: 2, state: 'closed' });
  expect(await recordOf(email)).toMatchObject({ version: 1 });
});

test('after a refusal: armed again, and it lands once the vendor takes it', async () => {
  const { event, id, email } = someone(3);
  await stack.hubspot.fault({ id: 'refuse', kind: 'partial', emails: [email], times: 'forever' });
  await provider.send(event);
  await settled();
  expect(await lineOf(id)).toMatchObject({ outcome: 'rejected', code: 'INVALID_EMAIL' });
  // Still refused: a second failed run.
  expect(await provider.post(event)).toMatchObject({ status: 202, code: 'ACCEPTED' });
  await settled();
  expect(await lineOf(id)).toMatchObject({ outcome: 'rejected', duplicates: 0 });
  await stack.hubspot.clearFaults();
  expect(await provider.post(event, second)).toMatchObject({ status: 202, code: 'ACCEPTED' });
  await settled();
  expect(await lineOf(id)).toMatchObject({ outcome: 'accepted' });
  expect(await recordOf(email)).toMatchObject({ version: 1 });
  await until('three runs are in the index', async () => (await statusesOf(id)).join() === 'COMPLETED,FAILED,FAILED');
  expect(await provider.post(event)).toMatchObject({ status: 200, code: 'DUPLICATE' });
});

test('after attempts were used up: armed again, and it lands', async () => {
  const { event, id, email } = someone(4);
  await stack.hubspot.fault({ kind: 'serverError', match: { email }, times: 5 });
  await provider.send(event);
  await settled();
  expect(await lineOf(id)).toMatchObject({ outcome: 'failed', code: 'UNAVAILABLE', attempts: 5 });
  expect(await provider.post(event)).toMatchObject({ status: 202 });
  await settled();
  expect(await lineOf(id)).toMatchObject({ outcome: 'accepted', attempts: 1 });
  expect(await recordOf(email)).toMatchObject({ version: 1 });
});

test('through two gateways at once: one is new, the other a duplicate', async () => {
  const all = Array.from({ length: 20 }, (_, n) => someone(100 + n));
  const answers = await Promise.all(all.flatMap(({ event }) => [provider.post(event, first), provider.post(event, second)]));
  for (let pair = 0; pair < answers.length; pair += 2) {
    expect([answers[pair]?.code, answers[pair + 1]?.code].sort()).toEqual(['ACCEPTED', 'DUPLICATE']);
  }
  await settled();
  for (const { id, email } of all) {
    expect(await lineOf(id)).toMatchObject({ outcome: 'accepted', duplicates: 1 });
    expect(await recordOf(email)).toMatchObject({ version: 1 });
  }
});

test('so far: provider, ledger, Temporal and vendor agree, nothing took effect twice', async () => {
  expect(checkRun(await collect(stack, provider))).toEqual([]);
});

describe('past Temporal’s retention', () => {
  const email = 'someone-7@example.com';
  const [older, newer] = [customer(70, email, 70), customer(71, email, 71)];
  let remembered: ReturnType<typeof someone>;
  let restarted: ReturnType<typeof someone> & { input: RecordSyncInput };

  // Deleting takes the server some seconds, and all of them no longer than one.
  beforeAll(async () => {
    remembered = someone(5);
    restarted = { ...someone(6), input: {} as RecordSyncInput };
    for (const event of [remembered.event, restarted.event, older, newer]) await provider.send(event);
    rows += 2;
    await settled();
    const [started] = await readHistory(stack, { workflowId: restarted.id });
    restarted.input = (started?.attributes['input'] as [RecordSyncInput])[0];
    const ids = [remembered, restarted].map(({ id }) => id).concat([older, newer].map(workflowIdOf));
    await Promise.all(ids.map(forget));
  });

  async function forget(id: string): Promise<void> {
    await stack.client.workflowService.deleteWorkflowExecution({ namespace: stack.namespace, workflowExecution: { workflowId: id } });
    await until(`the run of ${id} is gone`, () => isGone(id), 90_000);
  }

  const isGone = (id: string) =>
    stack.client.workflow
      .getHandle(id)
      .describe()
      .then(() => false)
      .catch((error: unknown) => error instanceof WorkflowNotFoundError);

  test('the inbox remembers: no second run, no second write', async () => {
    const { event, id, email } = remembered;
    expect(await provider.post(event)).toMatchObject({ status: 200, code: 'DUPLICATE' });
    expect(await lineOf(id)).toMatchObject({ state: 'closed', outcome: 'accepted', duplicates: 1 });
    expect(await recordOf(email)).toMatchObject({ version: 1 });
    expect(await isGone(id)).toBe(true);
  });

  test('a start under the same id, for whatever reason: the fence remembers, no second call', async () => {
    const { input, email } = restarted;
    const handle = await stack.client.workflow.start(recordSyncType, startOptions(input.plan, input.event));
    expect(await handle.result()).toMatchObject({ outcome: 'accepted', code: 'LANDED_BEFORE', attempts: [] });
    expect(await recordOf(email)).toMatchObject({ version: 1 });
  });

  test('the inbox row is pruned too: what is older is still superseded, what is newest is at most written as it is', async () => {
    const before = await recordOf(email);
    await stack.ledger.prune({ olderThanMs: 0 });
    for (const event of [older, newer]) expect(await provider.post(event)).toMatchObject({ status: 202, code: 'ACCEPTED' });
    await stack.settled(2);
    expect(await lineOf(workflowIdOf(older))).toMatchObject({ outcome: 'superseded' });
    expect(await lineOf(workflowIdOf(newer))).toMatchObject({ outcome: 'accepted' });
    const after = await recordOf(email);
    expect(after?.properties).toEqual(before?.properties);
    const written = after?.history.slice(before?.version).map(({ properties }: { properties: object }) => properties);
    expect(written).toEqual([before?.history.at(-1).properties].slice(0, written.length));
  });
});
