import { setTimeout as delay } from 'node:timers/promises';
import { startBudgetStage, type BudgetStage } from '../support/budget-stage';

jest.setTimeout(180_000);
let stage: BudgetStage;
beforeAll(async () => {
  stage = await startBudgetStage();
});
afterAll(() => stage?.close());

// 100 calls per 10 s, an endless backlog in every process; the simulator counts strictly by arrival.
test('two workers share one limit through a killed host and a restarted server: never over it, every call has its permit', async () => {
  const first = await stage.spender();
  const second = await stage.spender();
  await delay(15_000);
  const before = await stage.judge();
  await delay(10_000);
  const after = await stage.judge();
  expect(after).toMatchObject({ refused: 0 });
  expect(after.calls - before.calls).toBeGreaterThan(80); // a busy machine; the bench measures
  const view = await stage.view();
  expect(view).toMatchObject({ state: 'open', workers: 2 });
  expect(view.windows.find(({ name }) => name === 'TEN_SECONDLY_ROLLING')).toMatchObject({ max: 100, limit: 100 });

  // The first hosts the budget, most likely; it dies with its lease.
  const lost = first.spent().calls;
  await first.process.kill();
  await delay(20_000);
  const meanwhile = await stage.judge();
  expect(meanwhile.refused).toBe(0);
  expect(meanwhile.calls - after.calls).toBeGreaterThan(60);

  await stage.restartTemporal();
  await delay(20_000);
  const end = await second.stop();
  const judged = await stage.judge();
  expect(judged.refused).toBe(0);
  expect(judged.mostInWindow).toBeLessThanOrEqual(100);
  expect(judged.calls - meanwhile.calls).toBeGreaterThan(60);
  // What died unreported is at most a second's worth of the killed process.
  expect(judged.calls).toBeGreaterThanOrEqual(lost + end.calls);
  expect(judged.calls - lost - end.calls).toBeLessThan(30);
});

test('the permits counted equal the calls the vendor counted', async () => {
  const fresh = await startBudgetStage();
  try {
    await fresh.spender({ SPENDER_BULK: '0' }); // stays, so that somebody answers the query
    const spender = await fresh.spender({ SPENDER_HOSTS: '0' });
    await delay(12_000);
    // An operator's pause holds at the next renewal, and so does its end.
    await expect(fresh.change({ kind: 'share', sync: 'x', share: 1.5 })).rejects.toThrow();
    expect(await fresh.change({ kind: 'pause', what: 'lane:backfill' })).toMatchObject({ held: ['lane:backfill'] });
    await delay(4_000);
    const paused = await fresh.judge();
    await delay(3_000);
    expect((await fresh.judge()).calls).toBe(paused.calls);
    await fresh.change({ kind: 'resume', what: 'all' });
    await delay(6_000);
    expect((await fresh.judge()).calls).toBeGreaterThan(paused.calls);
    const { calls } = await spender.stop();
    expect((await fresh.judge()).calls).toBe(calls);
    const view = await fresh.view();
    expect(view.spenders.reduce((sum, one) => sum + one.today, 0)).toBe(calls);
    expect(view).toMatchObject({ state: 'open', workers: 0 });
  } finally {
    await fresh.close();
  }
});
