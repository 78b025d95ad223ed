import type { Permit } from '../../connectors/permit';
import type { Lane } from '../../schemas/plan';
import { BudgetWorld, worldScope } from '../../test/support/budget-world';
import { sampleItem, samplePlan } from '../../test/support/sample-run';
import { TestDelivery } from '../../test/support/test-delivery';
import { Batcher } from './batcher';
import type { Item } from './item';

/** Whatever is under way is over, on the busiest machine too. */
const settle = async (): Promise<void> => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (let moment = 0; moment < 5; moment++) await new Promise((resolve) => setImmediate(resolve));
};

function planOf(syncId: string, lane: Lane = 'live', maxBatch = 100) {
  return samplePlan({ syncId, vendor: 'fake', operation: 'things.upsert', object: 'thing', maxBatch, maxBatchBytes: 1_000_000, budget: { lane } });
}

test('paused: what came by the queue says so, the fast path’s does not, and each has its own answer', async () => {
  const delivery = new TestDelivery();
  const now = Date.now();
  delivery.blocked = (_scopes, { queued }) => ({ cause: 'paused', untilMs: queued ? now + 15_000 : now });
  const [fast, queued] = await Promise.all([delivery.deliver('a'), delivery.deliver('b', { queued: true })]);
  expect(fast).toEqual({ kind: 'unsent', cause: 'paused', untilMs: now });
  expect((queued as { untilMs: number }).untilMs).toBeGreaterThanOrEqual(now + 15_000);
});

describe('each sync asks in its own name', () => {
  /** Two syncs with so many records each, and no permit yet. */
  function two(first: number, second: number, lane: Lane = 'live') {
    const delivery = new TestDelivery();
    delivery.permits = 0;
    const add = (sync: string, count: number) =>
      Array.from({ length: count }, (_, index) => delivery.deliver(`${sync}${index}`, { plan: planOf(sync, lane), deadlineMs: Date.now() + 5_000 }));
    return { delivery, ends: [...add('a', first), ...add('b', second)] };
  }

  test('a permit carries the records of the sync it was given to; room that is left goes to the others', async () => {
    const { delivery, ends } = two(150, 30);
    await settle();
    expect(delivery.waiting.map(({ sync }) => sync)).toEqual(['a', 'a', 'b']);
    delivery.free('b');
    await settle();
    expect(delivery.batches[0]!.slice(0, 30).every((key) => key.startsWith('b'))).toBe(true);
    expect(delivery.batches[0]).toHaveLength(100);
    // Nothing of it is left: it asks no more, and no permit is spent on nobody.
    expect(delivery.waiting.map(({ sync }) => sync)).toEqual(['a']);
    delivery.free();
    await Promise.all(ends);
    expect(delivery.batches.map((batch) => batch.length)).toEqual([100, 80]);
    expect([delivery.permitsOut, delivery.permitsGivenBack, delivery.waiting]).toEqual([2, 0, []]);
  });

  test('a permit that comes too late to be withdrawn goes back unspent', async () => {
    const { delivery, ends } = two(1, 1);
    await settle();
    delivery.free('a');
    delivery.free('b'); // both in one moment: the first takes all there is
    await Promise.all(ends);
    await settle();
    expect(delivery.batches).toEqual([['a0', 'b0']]);
    expect([delivery.permitsOut, delivery.permitsGivenBack]).toEqual([2, 1]);
  });

  test('as many calls as may be under way: nobody asks for more until one ends', async () => {
    const { delivery, ends } = two(2_000, 2_000);
    let end: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (end = resolve));
    delivery.answer = async (keys) => {
      await held;
      return keys.map((key) => ({ key, status: 'accepted' }));
    };
    delivery.permits = 8;
    for (let call = 0; call < 8; call++) {
      await settle();
      if (delivery.waiting.length > 0) delivery.free();
    }
    await settle();
    expect(delivery.batches).toHaveLength(8);
    expect(delivery.waiting).toEqual([]);
    delivery.permits = Infinity;
    end();
    await Promise.all(ends);
    expect(delivery.batches).toHaveLength(40);
  });

  test('one sync paused: its ask is withdrawn, the other’s stays', async () => {
    const { delivery, ends } = two(1, 1);
    await settle();
    delivery.blocked = (_scopes, { sync }) => (sync === 'a' ? { cause: 'paused', untilMs: Date.now() + 15_000 } : null);
    expect(await ends[0]).toMatchObject({ kind: 'unsent', cause: 'paused' });
    expect(delivery.waiting.map(({ sync }) => sync)).toEqual(['b']);
    delivery.free();
    expect(await ends[1]).toMatchObject({ kind: 'done' });
  });
});

describe('behind real gates, two syncs on one operation and account', () => {
  /** Calls that each sync had in two minutes of 20 a second, both with far more to send. */
  async function callsOf(options: { shares?: Record<string, number>; lanes?: Record<string, Lane>; maxBatch?: number }) {
    const world = new BudgetWorld({
      seed: 4,
      limits: [{ name: 'w', kind: 'rolling', ms: 1_000, max: 20 }],
      ...(options.shares ? { shares: options.shares } : {}),
    });
    const { gate } = world.startWorker();
    const calls: Record<string, number> = { a: 0, b: 0 };
    const maxBatch = options.maxBatch ?? 1;
    const batcher: Batcher = new Batcher({
      gate,
      health: gate,
      scopes: [worldScope],
      maxBatch,
      maxBatchBytes: 1_000_000,
      random: () => 0.5,
      now: () => world.time.now,
      send: async (items: Item[], permit: Permit) => {
        const sync = items[0]!.plan.syncId;
        if (world.time.now > 10_000) calls[sync]!++;
        await new Promise<void>((resolve) => world.time.after(50, resolve));
        permit.done({ status: 200, headers: {} });
        for (const item of items) item.settle({ kind: 'unsent', cause: 'budget', untilMs: 0 });
      },
    });
    let count = 0;
    const add = (sync: string): void => {
      const key = `${sync}${count++}`;
      batcher.add(sampleItem(key, planOf(sync, options.lanes?.[sync], maxBatch), () => add(sync)));
    };
    for (let record = 0; record < 15 * maxBatch; record++) ['a', 'b'].forEach(add);
    for (let at = 0; at <= 130_000; at += 10) {
      // Moments in between for what the batcher starts itself.
      for (let moment = 0; moment < 3; moment++) await new Promise((resolve) => setImmediate(resolve));
      await world.time.run(at);
    }
    return calls;
  }

  test('the one with a larger share has more calls', async () => {
    const { a, b } = await callsOf({ shares: { a: 0.75, b: 0.15 } });
    expect(a! + b!).toBeGreaterThan(120 * 20 * 0.9);
    expect(a! / (a! + b!)).toBeGreaterThan(0.7);
    expect(b! / (a! + b!)).toBeGreaterThan(0.13);
  });

  test('the higher lane goes first, the lower one has its twentieth', async () => {
    const { a, b } = await callsOf({ lanes: { a: 'backfill', b: 'live' } });
    expect(b! / (a! + b!)).toBeGreaterThan(0.75);
    expect(a! / (a! + b!)).toBeGreaterThan(0.03);
  });

  test('without shares evenly', async () => {
    const { a, b } = await callsOf({});
    expect(a! / (a! + b!)).toBeCloseTo(0.5, 1);
  });
});
