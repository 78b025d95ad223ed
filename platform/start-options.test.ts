import type { SourceEvent } from '../schemas/event';
import type { SyncPlan } from '../schemas/plan';
import { startOptions } from './start-options';

const plan: SyncPlan = {
  syncId: 'shop-customer-to-crm',
  owner: 'growth',
  contract: 'shop.customer@3',
  source: { vendor: 'shopify', account: 'main', topics: ['customers/update'] },
  vendor: 'hubspot',
  account: 'eu',
  operation: 'contacts.upsert',
  object: 'contact',
  maxBatch: 100,
  maxBatchBytes: 1_048_576,
  resend: 'safe',
  mapVersion: 1,
  scopes: [{ vendor: 'hubspot', scope: 'eu' }],
  retry: { maxAttempts: 5, initialIntervalMs: 100, maxIntervalMs: 60_000, expireAfterMs: 259_200_000 },
  budget: { lane: 'live' },
};
const event: SourceEvent = {
  id: 'customers/update:abc',
  source: 'shopify',
  account: 'main',
  topic: 'customers/update',
  receivedAt: '2026-01-02T03:04:05.000Z',
  version: { at: 1, arrival: 2 },
  body: { email: 'ada@example.com' },
};

test('id, queue, input and search attributes', () => {
  const options = startOptions(plan, event);
  expect(options).toMatchObject({
    workflowId: 'shop-customer-to-crm/main/customers%2Fupdate%3Aabc',
    taskQueue: 'syncline',
    args: [{ plan, event }],
    staticSummary: 'shopify customers/update → hubspot contacts.upsert',
  });
  const pairs = options.typedSearchAttributes as { key: { name: string }; value: unknown }[];
  expect(Object.fromEntries(pairs.map((pair) => [pair.key.name, pair.value]))).toEqual({
    SynclineSync: 'shop-customer-to-crm',
    SynclineSource: 'shopify/main',
    SynclineAccount: 'hubspot/eu',
  });
});

test('policies by kind of start', () => {
  const policies = (choice: Parameters<typeof startOptions>[2]) => {
    const { workflowIdReusePolicy, workflowIdConflictPolicy } = startOptions(plan, event, choice);
    return [workflowIdReusePolicy, workflowIdConflictPolicy];
  };
  expect(policies({})).toEqual(['REJECT_DUPLICATE', 'USE_EXISTING']);
  expect(policies({ rearmed: true })).toEqual(['ALLOW_DUPLICATE_FAILED_ONLY', 'FAIL']);
  expect(policies({ replay: true })).toEqual(['ALLOW_DUPLICATE', 'FAIL']);
});

test('an equal version is sent again only when that was asked for', () => {
  expect(startOptions(plan, event, { replay: true }).args).toEqual([{ plan, event }]);
  expect(startOptions(plan, event, { replay: true, resendEqual: true }).args).toEqual([{ plan, event, resendEqual: true }]);
  expect(startOptions(plan, event, { rearmed: true }).args).toEqual([{ plan, event }]);
});

test('the row decides the id', () => {
  expect(startOptions(plan, event, { workflowId: 'bundle/1' }).workflowId).toBe('bundle/1');
});

test('nothing of the body in summary or details; long topics are cut', () => {
  const { staticSummary, staticDetails } = startOptions(plan, { ...event, topic: 'x'.repeat(5000) });
  expect(staticDetails).toContain('owned by growth');
  expect(staticDetails).toContain('held for at most 4320 min');
  expect(`${staticSummary} ${staticDetails}`).not.toContain('ada@');
  expect(Buffer.byteLength(staticSummary ?? '')).toBeLessThan(200);
});
