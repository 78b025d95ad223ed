import { setTimeout as delay } from 'node:timers/promises';
import { runCliAt } from '../support/run-cli';
import { startTableStage, type TableStage } from '../support/table-stage';
import { testWarehouses } from '../support/warehouses';

jest.setTimeout(120_000);

let stage: TableStage;
beforeAll(async () => (stage = await startTableStage(testWarehouses[0]!)));
afterAll(() => stage?.stop());
const syncline = (...args: string[]) => runCliAt('table-cli.ts', stage.stack.env, ...args);

test('--backfill: the run spends in that lane; while it is paused another run of the sync goes', async () => {
  const { paused } = stage.syncs;
  await stage.people(20);
  await stage.run(paused);
  expect((await syncline('budget', 'pause', 'hubspot/main', 'lane:backfill')).code).toBe(0);
  await delay(3_000); // every lease that did not know is renewed by now
  await stage.warehouse.sql(`update people set visits = visits + 100 where id % 10 = 0`);
  expect(await stage.run(paused)).toMatchObject({ counts: { changed: 2 }, equation: { outcomes: { accepted: 2 }, holds: true } });

  await stage.warehouse.sql(`update people set visits = visits + 100 where id % 10 = 1`);
  await syncline('table', 'run', 'paused', '--backfill', '--no-wait');
  const handle = stage.stack.client.workflow.getHandle('paused/run');
  await stage.until(handle, ({ held }) => held.some(({ cause }) => cause === 'paused'), 15_000);
  expect((await syncline('explain', 'paused', '--json')).json).toMatchObject({
    lane: 'backfill',
    cause: 'paused',
    next: 'npx syncline budget resume hubspot/main lane:backfill',
  });
  expect((await syncline('budget', 'resume', 'hubspot/main', 'lane:backfill')).code).toBe(0);
  expect(await handle.result()).toMatchObject({ counts: { changed: 2 }, equation: { outcomes: { accepted: 2 }, holds: true } });
});
