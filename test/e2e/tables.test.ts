import { startTableStage, type TableStage } from '../support/table-stage';
import { testWarehouses } from '../support/warehouses';

jest.setTimeout(300_000);

describe.each(testWarehouses)('$engine', (kind) => {
  let stage: TableStage;
  beforeAll(async () => {
    stage = await startTableStage(kind);
  });
  afterAll(() => stage?.stop());
  const records = async (): Promise<Map<string, Record<string, string>>> => new Map((await stage.stack.hubspot.records()).map((record) => [record.key as string, record.properties]));

  test('20,000 rows, then 1 % changed, then 2 % deleted: exactly these effects at the vendor', async () => {
    const { people } = stage.syncs;
    await stage.people(20_000);
    const first = await stage.run(people);
    expect(first).toMatchObject({ state: 'done', counts: { read: 20_000, added: 20_000 }, equation: { planned: 20_000, outcomes: { accepted: 20_000 }, holds: true } });
    expect((await stage.stack.hubspot.stats()).records).toMatchObject({ records: 20_000, writes: 20_000, identical: 0 });

    await stage.warehouse.sql(`update people set visits = visits + 100 where id % 100 = 0`);
    const second = await stage.run(people);
    expect(second).toMatchObject({ counts: { changed: 200, unchanged: 19_800 }, equation: { outcomes: { accepted: 200 }, holds: true } });
    expect((await stage.stack.hubspot.stats()).records).toMatchObject({ records: 20_000, writes: 20_200, identical: 0 });
    expect((await records()).get('p500@example.com')).toMatchObject({ numemployees: String((500 % 7) + 100) });

    await stage.warehouse.sql(`delete from people where id % 50 = 1`);
    const third = await stage.run(people);
    expect(third).toMatchObject({ counts: { removed: 400, unchanged: 19_600 }, equation: { outcomes: { accepted: 400 }, holds: true } });
    const { records: counted, byPath } = await stage.stack.hubspot.stats();
    expect(counted).toMatchObject({ records: 19_600, writes: 20_200, removed: 400 });
    // No call more than the rows need.
    expect(byPath).toEqual({ 'POST /crm/v3/objects/contacts/batch/upsert': 202, 'POST /crm/v3/objects/contacts/batch/archive': 4 });
    expect((await records()).has('p51@example.com')).toBe(false);

    const calls = (await stage.stack.hubspot.stats()).calls;
    expect(await stage.run(people)).toMatchObject({ counts: { unchanged: 19_600, planned: 0 }, equation: { planned: 0, holds: true } });
    expect((await stage.stack.hubspot.stats()).calls).toBe(calls);
  });
});
