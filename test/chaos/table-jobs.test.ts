import { startJobStage, type JobStage } from '../support/job-stage';

jest.setTimeout(90_000);

let stage: JobStage;
beforeAll(async () => {
  stage = await startJobStage('postgres');
});
afterAll(() => stage?.stop());

const posted = async (vendor: 'klaviyo' | 'salesforce', path: string) => (await stage.sims[vendor]!.stats()).byPath[`POST ${path}`] as number | undefined;
const imports = '/api/profile-bulk-import-jobs';

test('1,200 rows go as three jobs of 500 and land, each with its fate; what did not change is not sent again', async () => {
  const { profiles } = stage.syncs;
  await stage.people(1_200);
  const first = await stage.run(profiles);
  expect(first.equation).toMatchObject({ planned: 1_200, outcomes: { accepted: 1_200 }, holds: true });
  expect(await stage.sims.klaviyo!.records()).toHaveLength(1_200);
  expect(await posted('klaviyo', imports)).toBe(3);
  await stage.warehouse.sql('update people set visits = visits + 1 where id <= 10');
  expect((await stage.run(profiles)).equation).toMatchObject({ planned: 10, outcomes: { accepted: 10 }, holds: true });
  expect(await posted('klaviyo', imports)).toBe(4);
});

test('rows a job refuses are told apart, and a row that refuses the whole job is searched for', async () => {
  const { profiles } = stage.syncs;
  await stage.people(100, 'q');
  // The first job with this row is refused as a whole; so are its halves, until it is alone.
  await stage.sims.klaviyo!.fault({ kind: 'status', status: 400, times: 'forever', match: { path: imports, email: 'q50@example.com' } });
  await stage.sims.klaviyo!.fault({ kind: 'partial', emails: ['q7@example.com', 'q9@example.com'], code: 'REFUSED_HERE' });
  const { equation } = await stage.run(profiles);
  await stage.sims.klaviyo!.clearFaults();
  expect(equation).toMatchObject({ planned: 100, outcomes: { accepted: 97, rejected: 3 }, holds: true });
  const rejected = await stage.warehouse.sql(`select key, code from ${stage.warehouse.schema}.rejected where sync_id = 'profiles' order by key`);
  expect(rejected.map(({ key, code }) => `${key} ${code}`)).toEqual(['50 invalid', '7 REFUSED_HERE', '9 REFUSED_HERE']);
});

test('a worker killed while jobs run: another looks after them, nothing is handed over twice', async () => {
  const { killed } = stage.syncs;
  await stage.people(800, 'k');
  await stage.sims.klaviyo!.configure({ jobMs: 6_000 });
  const before = (await posted('klaviyo', imports))!;
  const handle = await stage.start(killed);
  await stage.until(handle, ({ held }) => held.filter(({ cause }) => cause === 'job').length === 2);
  await stage.killWorker();
  await stage.startWorker();
  const { equation } = (await handle.result()) as Awaited<ReturnType<JobStage['run']>>;
  await stage.sims.klaviyo!.configure({ jobMs: 100 });
  expect(equation).toMatchObject({ planned: 800, outcomes: { accepted: 800 }, holds: true });
  expect((await posted('klaviyo', imports))! - before).toBe(2);
});

test('cancelled while a job runs: its rows are cancelled, say that they may have landed, and go again with the next run', async () => {
  const { cancelled } = stage.syncs;
  await stage.people(50, 'c');
  await stage.sims.klaviyo!.configure({ jobMs: 60_000 });
  const handle = await stage.start(cancelled);
  await stage.until(handle, ({ held }) => held.some(({ cause }) => cause === 'job'));
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow();
  const rows = await stage.warehouse.sql(
    `select distinct outcome, code, cause from ${stage.warehouse.schema}.run_rows r where key <> '' and run_id in (select run_id from ${stage.warehouse.schema}.runs where sync_id = 'cancelled-jobs')`,
  );
  expect(rows).toEqual([{ outcome: 'cancelled', code: 'JOB_NOT_AWAITED', cause: expect.stringContaining('may have landed') }]);
  await stage.sims.klaviyo!.configure({ jobMs: 100 });
  expect((await stage.run(cancelled)).equation).toMatchObject({ planned: 50, outcomes: { accepted: 50 }, holds: true });
});

test('another vendor, the same: Salesforce Bulk verifies row by row', async () => {
  const { contacts } = stage.syncs;
  await stage.people(700, 's');
  await stage.warehouse.sql('update people set name = null where id = 9');
  const { equation } = await stage.run(contacts);
  expect(equation).toMatchObject({ planned: 700, outcomes: { verified: 699, rejected: 1 }, holds: true });
  expect(await stage.sims.salesforce!.records()).toHaveLength(699);
});
