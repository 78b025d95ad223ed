import { compileTablePlan, type TableSync } from '../../syncs/define-table-sync';
import { testAudiences } from '../../test/support/audience-syncs';
import { testJobSyncs } from '../../test/support/job-syncs';
import { TestDelivery } from '../../test/support/test-delivery';
import type { OpenRow, Warehouse } from '../../warehouse/port';
import { ChunkSender, type ChunkSenderOptions } from './chunk-sender';
import { operationOf } from './items';
import { JobSender } from './job-sender';
import type { Lease } from './lease';

const row = (values: OpenRow['values']): OpenRow => ({
  n: 0,
  key: '1',
  op: 'upsert',
  change: 'added',
  attempts: 0,
  found: 1,
  fingerprint: '00000000-0000-0000-0000-000000000001',
  values,
  known: null,
  shared: false,
  inJob: null,
});

/** A chunk of one row whose warehouse takes no booking. */
function parts(sync: TableSync, values: OpenRow['values']): { delivery: TestDelivery; options: ChunkSenderOptions } {
  const delivery = new TestDelivery();
  const rows = [row(values)];
  const warehouse = { read: async () => rows.splice(0), commit: () => Promise.reject(new Error('disk full')) } as unknown as Warehouse;
  const input = { plan: compileTablePlan(sync), runId: 'r', chunk: 0 };
  const lease = { token: 't', lasts: async () => true } as unknown as Lease;
  const { signal } = new AbortController();
  return { delivery, options: { deps: delivery.deps, sync, warehouse, input, lease, signal, progress: () => undefined } };
}

test('a job that can’t be written down is not handed over, and its permit goes back', async () => {
  const { profiles } = testJobSyncs('postgres');
  const { delivery, options } = parts(profiles, { id: 1, email: 'ada@example.com', name: 'Ada', visits: 1 });
  const operation = operationOf(profiles, 'upsert');
  await expect(new JobSender(options, operation as never, {}).send()).rejects.toThrow('disk full');
  expect([delivery.permitsOut, delivery.permitsGivenBack]).toEqual([1, 1]);
  // The breaker, too: had it been the probe, another could be.
  expect(delivery.reports).toEqual([{ answered: [], failed: [], connection: false }]);
});

test('nor is a member of whom nobody would know under which name they joined', async () => {
  const { list } = testAudiences('postgres');
  const { delivery, options } = parts(list, { id: 1, email: 'ada@example.com', phone: null });
  const operation = operationOf(list, 'upsert');
  await expect(new ChunkSender(options, operation as never).send()).rejects.toThrow('disk full');
  expect(delivery.permitsOut).toBeGreaterThan(0);
  expect(delivery.permitsGivenBack).toBe(delivery.permitsOut);
});
