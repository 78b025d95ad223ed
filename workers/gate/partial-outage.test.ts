import type { CallReport } from '../../activities/deps';
import { BudgetWorld, worldScope, type VirtualWorker } from '../../test/support/budget-world';
import type { BudgetLimit, LeaseRequest } from '../../workflows/budget/protocol';

const limits: BudgetLimit[] = [{ name: 'w', kind: 'rolling', ms: 1_000, max: 100 }];
const scopes = [worldScope];
const seconds = (count: number): number => count * 1_000;

interface Story {
  workers: number;
  /** Between two new records of one worker, milliseconds. */
  everyMs: number;
  to: number;
  fails: (now: number, record: string, chance: () => number) => boolean;
  /** A worker whose requests are as the first version made them. */
  old?: boolean;
}

/** Records with five attempts each, waits of 100 ms · 2ⁿ with full jitter, held while the breaker is open: as deliveries are. */
async function play({ workers, everyMs, to, fails, old = false }: Story) {
  const world = new BudgetWorld({ seed: 1, limits });
  const ends = { landed: 0, failed: [] as string[], calls: 0, held: 0 };
  let opened = Infinity;
  const gates = Array.from({ length: workers }, (_, index) => world.startWorker(old && index === 0 ? { lease: firstVersion(world) } : {}));
  const rest = (ms: number) => new Promise<void>((resolve) => world.time.after(ms, resolve));
  const deliver = async ({ gate }: VirtualWorker, record: string): Promise<void> => {
    for (let attempts = 0; ;) {
      const permit = await gate.acquire({ scopes, lane: 'live', sync: 's' });
      if (gate.admit(scopes).kind === 'shut') {
        permit.giveBack();
        await rest(500 + world.chance() * 2_000);
        continue;
      }
      ends.calls++;
      await rest(30);
      const bad = fails(world.time.now, record, world.chance);
      permit.done({ status: bad ? 503 : 200, headers: {} });
      const end: CallReport = { answered: bad ? [] : [record], failed: bad ? [record] : [], connection: false };
      gate.report(scopes, end);
      if (!bad) return void ends.landed++;
      const openUntil = gate.openUntil(scopes);
      if (openUntil > 0) {
        attempts = 0;
        ends.held++;
        await rest(openUntil - world.time.now + world.chance() * 2_000);
      } else if (++attempts === 5) return void ends.failed.push(record);
      else await rest(world.chance() * 100 * 2 ** (attempts - 1));
    }
  };
  gates.forEach((worker, index) => {
    for (let at = 0, n = 0; at < to; at += everyMs, n++) world.time.after(at, () => void deliver(worker, `${index}-${n}`));
  });
  for (let at = 0; at < to; at += 500) world.time.after(at, () => (opened = world.state.breaker.openUntil > 0 ? Math.min(opened, world.time.now) : opened));
  await world.time.run(to);
  return { world, ...ends, opened };
}

/** A worker's records, counted. */
const nth = (record: string): number => Number(record.split('-')[1]);

function firstVersion(world: BudgetWorld) {
  return (_scope: unknown, request: LeaseRequest) => {
    const { calls: _calls, ...old } = JSON.parse(JSON.stringify(request)) as LeaseRequest;
    return world.lease(old);
  };
}

test.each([
  [1, 0.7],
  [3, 0.7],
  [3, 0.9],
])('%i workers, from one moment on %d of all calls fail: the breaker opens within seconds, records are held and not failed', async (workers, part) => {
  const { opened, failed } = await play({
    workers,
    everyMs: 20 * workers,
    to: seconds(120),
    fails: (now, _record, chance) => now > seconds(40) && chance() < part,
  });
  expect(opened - seconds(40)).toBeLessThan(seconds(5));
  expect(failed.length).toBeLessThan(10);
});

test.each([1, 3])('%i workers, three of ten calls fail for minutes: most records land at once or soon, so the breaker stays closed', async (workers) => {
  const { opened, landed } = await play({ workers, everyMs: 20 * workers, to: seconds(180), fails: (_now, _record, chance) => chance() < 0.3 });
  expect(opened).toBe(Infinity);
  expect(landed).toBeGreaterThan(8_900);
});

test('the vendor is gone from one moment on, after a busy while: open within two seconds', async () => {
  const { opened, failed } = await play({ workers: 3, everyMs: 50, to: seconds(60), fails: (now) => now > seconds(40) });
  expect(opened - seconds(40)).toBeLessThanOrEqual(seconds(2));
  expect(failed).toEqual([]);
});

test.each([
  ['four poisoned records among hundreds, again and again', (record: string) => nth(record) % 400 > 397],
  ['four at once', (record: string) => nth(record) === 500 || nth(record) === 501],
])('%s: they alone fail, and the breaker stays closed', async (_name, poisoned) => {
  const { opened, failed, landed, held } = await play({ workers: 2, everyMs: 50, to: seconds(60), fails: (_now, record) => poisoned(record) });
  expect([opened, held]).toEqual([Infinity, 0]);
  expect(failed.every(poisoned)).toBe(true);
  expect(failed.length).toBeGreaterThanOrEqual(4);
  expect(landed).toBeGreaterThan(2_350);
});

test('beside a worker of the first version: an outage opens it, poisoned records do not', async () => {
  const outage = await play({ workers: 2, everyMs: 100, to: seconds(30), fails: (now) => now > seconds(10), old: true });
  expect(outage.opened).toBeLessThan(seconds(12));
  const poison = await play({ workers: 2, everyMs: 100, to: seconds(60), fails: (_now, record) => record.endsWith('00'), old: true });
  expect(poison.opened).toBe(Infinity);
});
