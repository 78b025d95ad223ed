import { setTimeout as delay } from 'node:timers/promises';
import type { RecordOutcome } from '../../schemas/outcome';
import type { Lane } from '../../schemas/plan';
import { recordSyncId } from '../../platform/start-options';
import { compilePlan } from '../../syncs/define-sync';
import shopCustomerToCrm from '../../syncs/shop-customer-to-crm/sync';
import { budgetWorkflowId } from '../../workflows/ids';
import { budgetQuery, type BudgetView } from '../../workflows/messages';
import { customer } from '../support/chaos-events';
import { startRecord } from '../support/start-record';
import { startStack, type Stack } from '../support/stack';

jest.setTimeout(300_000);

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ name: 'vendor_outage', env: { SYNCLINE_LOG_LEVEL: 'warn' } });
});
afterEach(() => stack.hubspot.clearFaults());
afterAll(() => stack?.stop());

const plan = compilePlan(shopCustomerToCrm);
const budgetView = (): Promise<BudgetView> =>
  stack.client.workflow.getHandle(budgetWorkflowId({ vendor: 'hubspot', scope: 'main' })).query(budgetQuery, { nowMs: Date.now() });

let next = 0;
/** A new customer each; how it ended. */
async function run(lane: Lane): Promise<RecordOutcome> {
  const n = next++;
  return (await startRecord(stack, plan, lane, n, `vendor-outage-${n}@example.com`)).outcome;
}

test('the vendor is down for 20 s: nothing lost, attempts don’t run out, and the breaker closes by itself', async () => {
  await run('live');
  await stack.hubspot.fault({ kind: 'status', status: 503, times: 'forever' });
  const downAt = Date.now();
  const bulk: ReturnType<typeof run>[] = [];
  const live: ReturnType<typeof run>[] = [];
  const states = new Set<string>();
  while (Date.now() - downAt < 20_000) {
    bulk.push(run('backfill'), run('backfill'));
    live.push(run('live'));
    await delay(250);
    states.add((await budgetView()).state);
  }
  expect(states).toContain('vendor-down');
  // While it is shut, hardly anything is sent: one probe at a time.
  const before = (await stack.hubspot.stats()).calls;
  await delay(3_000);
  expect((await stack.hubspot.stats()).calls - before).toBeLessThanOrEqual(2);

  await stack.hubspot.clearFaults();
  const outcomes = (await Promise.all([...bulk, ...live])).map(({ outcome }) => outcome);
  expect(new Set(outcomes)).toEqual(new Set(['accepted']));
  expect((await stack.hubspot.records()).length).toBe(next);
  expect((await budgetView()).breaker.state).toBe('closed');
});

test('one poisoned record among 1,000: it alone fails, and the breaker stays closed for the others', async () => {
  const poisoned = 'poisoned@example.com';
  await stack.hubspot.fault({ kind: 'status', status: 500, match: { email: poisoned }, times: 'forever' });
  const calls = (await stack.hubspot.stats()).calls;
  const states = new Set<string>();
  let looking = true;
  const looks = (async () => {
    while (looking) {
      states.add((await budgetView()).state);
      await delay(500);
    }
  })();
  const before = await stack.settled(0);
  const rows = Array.from({ length: 1_000 }, (_, index) => {
    const n = next++;
    const { eventId, topic, body } = customer(n, index === 400 ? poisoned : `beside-${n}@example.com`, n);
    const workflowId = recordSyncId(plan.syncId, { account: 'shop', id: eventId });
    return { syncId: plan.syncId, source: 'shopify', account: 'shop', topic, eventId, workflowId, occurredAt: null, body: body as never };
  });
  for (let from = 0; from < rows.length; from += 100) await stack.ledger.inbox.receive(rows.slice(from, from + 100));
  const outcomes = await stack.settled((before['accepted'] ?? 0) + 1_000, 200_000);
  looking = false;
  await looks;
  expect(outcomes).toEqual({ accepted: (before['accepted'] ?? 0) + 999, failed: 1 });
  expect([...states].filter((state) => state.startsWith('vendor'))).toEqual([]);
  // Those who shared a call with it were sent again in halves, not one by one.
  expect((await stack.hubspot.stats()).calls - calls).toBeLessThan(1_000);
});
