import { startTableStage, type TableStage } from '../support/table-stage';
import { testWarehouses } from '../support/warehouses';

jest.setTimeout(300_000);

describe.each(testWarehouses)('$engine', (kind) => {
  let stage: TableStage;
  beforeAll(async () => {
    stage = await startTableStage(kind);
  });
  afterAll(() => stage?.stop());

  test('kill -9 of the worker, twice: the run goes on at what was not yet booked', async () => {
    const rows = 12_000;
    await stage.people(rows);
    await stage.stack.hubspot.configure({ latencyMs: 150 });
    const handle = await stage.start(stage.syncs.people);
    for (let kills = 1; kills <= 2; kills++) {
      const before = (await stage.stack.hubspot.stats()).records.writes as number;
      while ((await stage.stack.hubspot.stats()).records.writes < before + 1_500) await new Promise((resolve) => setTimeout(resolve, 50));
      await stage.stack.workers.at(-1)!.kill();
      await stage.stack.startWorker();
    }
    const result = await handle.result();
    expect(result).toMatchObject({ state: 'done', equation: { planned: rows, outcomes: { accepted: rows }, holds: true } });
    const { records } = await stage.stack.hubspot.stats();
    expect(records.records).toBe(rows);
    // Sent twice: at most what was in flight when a worker died, two chunks of four calls of a hundred rows.
    expect(records.writes - rows).toBeLessThanOrEqual(2 * 800);
    expect(records.identical).toBe(records.writes - rows);
    await stage.stack.hubspot.configure({ latencyMs: 0 });
    expect(await stage.run(stage.syncs.people)).toMatchObject({ counts: { unchanged: rows, planned: 0 } });
  });
});
