import { Client as PgClient } from 'pg';
import { startReplay } from '../../client/cli/replay/start';
import type { RecordSyncInput } from '../../schemas/run';
import { seededRandom } from '../../connectors/simulator/random';
import shopCustomerToCrm from '../../syncs/shop-customer-to-crm/sync';
import { checkRun } from '../support/chaos-checker';
import { callsInFlight, collect, readHistory, until } from '../support/chaos-collect';
import { billing, customer, order, testSeed } from '../support/chaos-events';
import { FakeProvider, workflowIdOf } from '../support/chaos-provider';
import { startStack, type Stack } from '../support/stack';

jest.setTimeout(150_000);
let stack: Stack;
let provider: FakeProvider;
let rows = 0;

beforeAll(async () => {
  stack = await startStack({ name: 'two-workers', workers: 2, hubspot: ['--latency-ms', '5-40'] });
  provider = new FakeProvider({ gatewayUrl: () => stack.gatewayUrl() });
});
afterAll(async () => {
  provider?.stop();
  await stack?.stop();
});

const recordOf = async (email: string) => (await stack.hubspot.records()).find(({ key }) => key === email);
const lineOf = async (id: string) => (await stack.ledger.queries.runs({ id, limit: 10 }))[0];
const firstNames = async (email: string) =>
  ((await recordOf(email))?.history ?? []).map(({ properties }: { properties: Record<string, string> }) => properties['firstname']);

/** Which workers took runs, by process id. */
async function takers(workflowId?: string): Promise<number[]> {
  const pg = new PgClient({ connectionString: stack.env.SYNCLINE_DATABASE_URL ?? '' });
  await pg.connect();
  try {
    const { rows } = await pg.query(`select distinct claimed_by from syncline.inbox where claimed_by is not null and workflow_id = coalesce($1, workflow_id)`, [
      workflowId ?? null,
    ]);
    return rows.map(({ claimed_by }) => Number(claimed_by));
  } finally {
    await pg.end();
  }
}

/** Versions of a few contacts by three syncs, each contact's in an order of its own; all posted within a moment. */
async function postShuffled(contacts: string[], versions: number, from: number): Promise<void> {
  const random = seededRandom(testSeed + from);
  const events = contacts.flatMap((email, contact) =>
    Array.from({ length: versions }, (_, version) => {
      const n = from + contact * versions + version;
      return version % 4 === 3 ? order(n, email, n) : version % 4 === 2 ? billing(n, email, n) : customer(n, email, n);
    }),
  );
  const shuffled = events.map((event) => ({ event, at: random() })).sort((a, b) => a.at - b.at);
  await Promise.all(shuffled.map(({ event }) => provider.send(event)));
  rows += events.length;
}

test('in order: each version lands', async () => {
  const email = 'in-order@example.com';
  for (const n of [1, 2, 3]) {
    await provider.send(customer(n, email, n));
    await stack.settled((rows += 1));
  }
  expect(await firstNames(email)).toEqual(['First-1', 'First-2', 'First-3']);
});

test('out of order: what is older is superseded, unless it writes a field the newer does not', async () => {
  const email = 'out-of-order@example.com';
  const [newest, withPhone, plain] = [customer(28, email, 28), customer(27, email, 27), customer(26, email, 26)];
  for (const event of [newest, plain, withPhone]) {
    await provider.send(event);
    await stack.settled((rows += 1));
  }
  expect(await lineOf(workflowIdOf(plain))).toMatchObject({ outcome: 'superseded' });
  expect(await lineOf(workflowIdOf(withPhone))).toMatchObject({ outcome: 'accepted' });
  const record = await recordOf(email);
  expect(record?.properties).toMatchObject({ firstname: 'First-28', phone: withPhone.expected.properties['phone'] });
  expect(record?.history.map(({ properties }: { properties: object }) => Object.keys(properties))).toEqual([
    ['firstname', 'lastname', 'email'],
    ['phone', 'email'],
  ]);
});

test('a call under way holds the newer version back, in whichever worker it is', async () => {
  const email = 'slow@example.com';
  const slow = customer(40, email, 40);
  await stack.hubspot.fault({ kind: 'slow', ms: 1_500, match: { email } });
  await provider.send(slow);
  await until('the call is at the vendor', async () => (await callsInFlight(stack)) > 0);
  // Several, so that both workers have some.
  for (const n of [41, 42, 43, 44]) await provider.send(customer(n, email, n));
  await stack.settled((rows += 5));
  const names = await firstNames(email);
  expect(names[0]).toBe('First-40');
  // An older one may still bring a field that the newer ones don't write: that write has no name in it.
  const written = names.filter((name: unknown) => name !== undefined);
  expect(written.at(-1)).toBe('First-44');
  expect(written).toEqual([...written].sort());
  expect((await recordOf(email))?.properties).toMatchObject({ firstname: 'First-44' });
});

test('a worker is killed in a call that takes effect later: the newer version waits until that is over', async () => {
  const email = 'late@example.com';
  const late = customer(50, email, 50);
  await stack.hubspot.fault({ kind: 'slow', ms: 5_000, match: { email } });
  await provider.send(late);
  await until('the call is at the vendor', async () => (await callsInFlight(stack)) > 0);
  const [taker] = await takers(workflowIdOf(late));
  const killed = stack.workers.find(({ pid }) => pid === taker);
  await killed?.kill();
  expect(killed).toBeDefined();
  await provider.send(customer(51, email, 51));
  rows += 2;

  // Meanwhile the other worker goes on alone, and then with a new second one.
  await postShuffled(
    Array.from({ length: 6 }, (_, n) => `alone-${n}@example.com`),
    6,
    100,
  );
  const [other] = stack.workers.filter((worker) => worker !== killed);
  await stack.startWorker();
  await postShuffled(
    Array.from({ length: 6 }, (_, n) => `again-${n}@example.com`),
    6,
    200,
  );
  // One that is stopped in good order hands back what it has not sent.
  const stopping = other?.stop(20_000);
  await postShuffled(
    Array.from({ length: 6 }, (_, n) => `stop-${n}@example.com`),
    6,
    300,
  );
  await stopping;
  await stack.startWorker();
  await stack.settled(rows, 90_000);

  const names = await firstNames(email);
  expect(names[0]).toBe('First-50');
  expect(names.at(-1)).toBe('First-51');
  expect(names).toEqual([...names].sort());
  expect((await takers()).length).toBeGreaterThanOrEqual(3);
});

test('all of it: nothing older overwrote anything newer, nothing is lost, repeats are accounted for', async () => {
  expect({ problems: checkRun(await collect(stack, provider)), seed: testSeed }).toEqual({ problems: [], seed: testSeed });
});

test('a replay of an old version after a newer landed is superseded, whatever it is told', async () => {
  const email = 'replayed@example.com';
  const [old, young] = [customer(61, email, 61), customer(62, email, 62)];
  for (const event of [old, young]) {
    await provider.send(event);
    await stack.settled((rows += 1));
  }
  const workflowId = workflowIdOf(old);
  const line = (await lineOf(workflowId)) ?? null;
  expect(line).toMatchObject({ outcome: 'accepted' });
  const [{ event }] = (await readHistory(stack, { workflowId }))[0]?.attributes['input'] as [RecordSyncInput];
  const before = await recordOf(email);
  for (const resend of [false, true]) {
    await startReplay({ client: stack.client } as never, stack.ledger, { workflowId, line, sync: shopCustomerToCrm, event, resend });
    await stack.settled(rows);
    expect(await lineOf(workflowId)).toMatchObject({ outcome: 'superseded', attempts: 0 });
  }
  expect(await recordOf(email)).toEqual(before);
});
