import { setTimeout as delay } from 'node:timers/promises';
import { startTableStage, type TableStage } from '../support/table-stage';
import { testWarehouses } from '../support/warehouses';

jest.setTimeout(120_000);

let stage: TableStage;
beforeAll(async () => {
  stage = await startTableStage(testWarehouses[0]!, { env: { TABLE_EVERY: '2000' } });
});
afterAll(() => stage?.stop());

test('a schedule starts runs under the one id; a second worker changes nothing about it', async () => {
  await stage.people(50);
  const { client, hubspot } = stage.stack;
  const written = async (rows: number) => {
    for (const end = Date.now() + 60_000; ; await delay(200)) {
      if ((await hubspot.stats()).records.writes >= rows) return;
      if (Date.now() > end) throw new Error(`${rows} rows were not written in time`);
    }
  };
  await written(50);
  await stage.stack.startWorker();
  await stage.warehouse.sql('update people set visits = visits + 1 where id <= 5');
  await written(55);
  const schedule = client.schedule.getHandle('scheduled/schedule');
  expect((await schedule.describe()).spec.intervals).toMatchObject([{ every: 2_000 }]);
  await schedule.pause('the test has seen enough');
  const run = client.workflow.getHandle('scheduled/run');
  await stage.until(run, ({ state }) => state === 'done');
  expect(await run.describe()).toMatchObject({
    type: 'tableSync',
    searchAttributes: { SynclineSync: ['scheduled'], SynclineSource: ['warehouse/test'], SynclineAccount: ['hubspot/main'] },
  });
  // Nothing twice, however many ticks there were.
  expect((await hubspot.stats()).records).toMatchObject({ records: 50, writes: 55, identical: 0 });
});
