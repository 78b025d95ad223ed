import type { Permit } from '../../connectors/permit';
import type { Lane } from '../../schemas/plan';
import { BudgetWorld, worldScope } from '../../test/support/budget-world';
import { sampleItem, samplePlan } from '../../test/support/sample-run';
import { Batcher } from './batcher';
import type { Item, ItemEnd } from './item';

const scopes = [worldScope];

/** A batcher behind a real gate, at a vendor that always fails for some records. Held ones come back when they were told to. */
function stage(poisoned: (key: string) => boolean) {
  const world = new BudgetWorld({ seed: 4, limits: [{ name: 'w', kind: 'rolling', ms: 1_000, max: 20 }] });
  const { gate } = world.startWorker();
  const calls: { at: number; keys: string[] }[] = [];
  const batcher: Batcher = new Batcher({
    gate,
    health: gate,
    scopes,
    maxBatch: 1,
    maxBatchBytes: 1_000_000,
    random: () => 0.5,
    now: () => world.time.now,
    send: async (items: Item[], permit: Permit) => {
      const keys = items.map(({ record }) => record.keyHmac);
      calls.push({ at: world.time.now, keys });
      await new Promise<void>((resolve) => world.time.after(50, resolve));
      const bad = keys.some(poisoned);
      permit.done({ status: bad ? 500 : 200, headers: {} });
      gate.report(scopes, { answered: bad ? [] : keys, failed: bad ? keys : [], connection: false });
      for (const item of items)
        item.settle({ kind: 'unsent', cause: 'budget', untilMs: bad ? Math.max(world.time.now + 200, gate.openUntil(scopes)) : Infinity });
    },
  });
  const add = (key: string, sync: string, lane: Lane): void => {
    const again = (end: ItemEnd): void => {
      if (end.kind === 'unsent' && end.untilMs < Infinity) world.time.after(end.untilMs - world.time.now, () => add(key, sync, lane));
    };
    const plan = samplePlan({
      syncId: sync,
      vendor: 'fake',
      operation: 'things.upsert',
      object: 'thing',
      maxBatch: 1,
      maxBatchBytes: 1_000_000,
      budget: { lane },
    });
    batcher.add(sampleItem(key, plan, again));
  };
  const run = async (to: number): Promise<void> => {
    for (let at = world.time.now; at <= to; at += 20) {
      // Moments in between for what the batcher starts itself.
      for (let moment = 0; moment < 3; moment++) await new Promise((resolve) => setImmediate(resolve));
      await world.time.run(at);
    }
  };
  return { world, calls, add, run };
}

test('three live records that always fail open it; the probe is another one, of a lower lane too, and the vendor is found well at once', async () => {
  const { world, calls, add, run } = stage((key) => key.startsWith('bad'));
  ['bad1', 'bad2', 'bad3'].forEach((key) => add(key, 'a', 'live'));
  await run(5_000);
  expect(world.state.breaker.openUntil).toBeGreaterThan(0);
  const before = calls.length;
  ['good1', 'good2'].forEach((key) => add(key, 'b', 'backfill'));
  await run(36_000);
  expect(calls[before]!.keys[0]).toMatch(/^good/);
  expect(calls[before]!.at).toBeLessThan(36_000);
  expect(world.state.recoveredAt).toBeGreaterThan(0);
  // Those three may open it again, with so little else to send; but for no longer than the first time.
  expect(world.state.breaker.spellMs).toBeLessThanOrEqual(30_000);
  expect(calls.flatMap(({ keys }) => keys)).toEqual(expect.arrayContaining(['good1', 'good2']));
});

test('with nothing else to send one of them is the probe', async () => {
  const { world, calls, add, run } = stage((key) => key.startsWith('bad'));
  ['bad1', 'bad2', 'bad3'].forEach((key) => add(key, 'a', 'live'));
  await run(5_000);
  const before = calls.length;
  await run(37_000);
  expect(calls.slice(before)).toHaveLength(1);
  expect(world.state.breaker.spellMs).toBe(60_000);
});
