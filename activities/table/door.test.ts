import { sampleTablePlan } from '../../test/support/sample-table-run';
import { TestDelivery } from '../../test/support/test-delivery';
import type { TablePlan } from '../../schemas/table';
import type { Blocked } from '../deps';
import { Door } from './door';
import type { Lease } from './lease';

const lease = { lasts: () => Promise.resolve(true) } as unknown as Lease;

function door(delivery: TestDelivery, change: Partial<TablePlan> = {}, signal = new AbortController().signal): Door {
  const input = { plan: sampleTablePlan({ budget: { lane: 'backfill' }, ...change }), runId: 'r', chunk: 0 };
  return new Door({ deps: delivery.deps, input, lease, callMs: 1_000, signal });
}

describe('nothing of its sync in its lane may go', () => {
  test.each<[Blocked['cause']]>([['paused'], ['off-peak'], ['budget']])('%s: held with that cause until then, and no permit is asked for', async (cause) => {
    const delivery = new TestDelivery();
    const asked: unknown[] = [];
    delivery.blocked = (_scopes, who) => {
      asked.push(who);
      return { cause, untilMs: 90_000 };
    };
    delivery.permits = 0;
    expect(await door(delivery).enter()).toEqual({ kind: 'held', cause, untilMs: 90_000 });
    expect(asked).toEqual([{ lane: 'backfill', sync: 'customers-to-crm', queued: true, polled: false }]);
    expect(delivery.waiting).toHaveLength(0);
  });

  test('a chunk of a DuckDB file waits in a queue that is always polled, and says so', async () => {
    const delivery = new TestDelivery();
    delivery.blocked = (_scopes, { polled }) => ({ cause: 'paused', untilMs: polled ? 15_000 : 0 });
    expect(await door(delivery, { warehouse: { name: 'test', engine: 'duckdb' } }).enter()).toMatchObject({ cause: 'paused', untilMs: 15_000 });
  });

  test('it happens while a permit is waited for: held within a second, not after the whole wait', async () => {
    const delivery = new TestDelivery();
    delivery.permits = 0;
    const entered = door(delivery).enter();
    await new Promise((resolve) => setImmediate(resolve));
    expect(delivery.waiting).toHaveLength(1);
    delivery.blocked = () => ({ cause: 'paused', untilMs: 15_000 });
    expect(await entered).toEqual({ kind: 'held', cause: 'paused', untilMs: 15_000 });
    expect(delivery.waiting).toHaveLength(0);
  });
});

test('a permit that is there is taken; a cancelled chunk gives way without a cause of its own', async () => {
  const delivery = new TestDelivery();
  expect(await door(delivery).enter()).toMatchObject({ kind: 'entry', probe: false });
  delivery.permits = 0;
  const stop = new AbortController();
  const entered = door(delivery, {}, stop.signal).enter();
  stop.abort();
  expect(await entered).toMatchObject({ kind: 'held', cause: 'slice' });
});
