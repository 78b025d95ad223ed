import { setTimeout as delay } from 'node:timers/promises';
import { startOwnTemporal, type OwnTemporal } from '../support/chaos-temporal';
import { startTableStage, type TableStage } from '../support/table-stage';
import { testWarehouses } from '../support/warehouses';

jest.setTimeout(300_000);

let temporal: OwnTemporal;
let stage: TableStage;
beforeAll(async () => {
  temporal = await startOwnTemporal('table-temporal-kill');
  stage = await startTableStage(
    testWarehouses.find(({ engine }) => engine === 'postgres')!,
    { temporal },
  );
});
afterAll(async () => {
  await stage?.stop();
  await temporal?.stop();
});

test('kill -9 of Temporal in the middle of a run: chunks under way end and are booked, the run goes on when it is back', async () => {
  const rows = 12_000;
  await stage.people(rows);
  await stage.stack.hubspot.configure({ latencyMs: 150 });
  const handle = await stage.start(stage.syncs.people);
  const writes = async (): Promise<number> => (await stage.stack.hubspot.stats()).records.writes;
  while ((await writes()) < 2_000) await delay(50);
  await temporal.kill();
  await delay(5_000);
  const away = await writes();
  await temporal.restart();
  expect(away).toBeLessThan(rows);
  const result = (await handle.result()) as Awaited<ReturnType<TableStage['run']>>;
  expect(result).toMatchObject({ state: 'done', equation: { planned: rows, outcomes: { accepted: rows }, holds: true } });
  const { records } = await stage.stack.hubspot.stats();
  expect(records.records).toBe(rows);
  // What was booked is not sent again, whether or not Temporal heard of it.
  expect(records.writes - rows).toBeLessThanOrEqual(800);
  await stage.stack.hubspot.configure({ latencyMs: 0 });
  expect(await stage.run(stage.syncs.people)).toMatchObject({ counts: { unchanged: rows, planned: 0 } });
});
