import { Client } from 'pg';
import { createPostgresWarehouse, type Warehouse } from '..';
import { createTestDatabase } from '../../test/support/servers';
import type { PlanRequest } from '../port';

const plan: PlanRequest = {
  syncId: 'people',
  runId: 'run-1',
  workflowId: 'people/run',
  source: { table: 'public.people', key: ['id'], columns: ['id', 'email'] },
  mapVersion: 1,
  full: false,
  retryRejected: false,
  removals: true,
  chunkRows: 100,
};

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let admin: Client;
let warehouse: Warehouse;
const role = `limited_${process.pid}`;
beforeAll(async () => {
  database = await createTestDatabase('rights');
  admin = new Client({ connectionString: database.url });
  await admin.connect();
  await admin.query(`create table people (id integer primary key, email text)`);
  await admin.query(`insert into people values (1, 'ada@example.com')`);
  await admin.query(`create role ${role} login password 'limited'`);
  const url = new URL(database.url);
  [url.username, url.password] = [role, 'limited'];
  warehouse = createPostgresWarehouse({ name: 'main', url: url.href });
});
afterAll(async () => {
  await warehouse?.stop();
  await admin?.query(`drop owned by ${role} cascade`);
  await admin?.query(`drop role ${role}`);
  await admin?.end();
  await database?.drop();
});

const refusal = () =>
  warehouse.plan(plan).then(
    () => 'done',
    (error: Error & { code?: string }) => `${error.code}: ${error.message}`,
  );

// In this order: each step is what an administrator does after reading the message before.
test('a role without rights is told which are missing, one step after the other, until it may; nothing is left half made', async () => {
  const schemas = async () => (await admin.query(`select 1 from pg_namespace where nspname = 'syncline'`)).rowCount;
  expect(await refusal()).toMatch(/^WAREHOUSE_RIGHTS: warehouse main: the schema "syncline" is not there.+create schema syncline authorization/);
  expect(await schemas()).toBe(0);

  await admin.query('create schema syncline');
  expect(await refusal()).toMatch(/^WAREHOUSE_RIGHTS: .+(may not create tables in schema "syncline"|permission denied).*grant/s);

  await admin.query(`grant all on schema syncline to ${role}`);
  expect(await refusal()).toMatch(/^WAREHOUSE_RIGHTS: .+people.*; grant it to the role in the warehouse's address/);

  await admin.query(`grant select on people to ${role}`);
  expect(await warehouse.plan(plan)).toMatchObject({ read: 1, added: 1, planned: 1 });
  // What is read stays the user's: this role can't write there, and nothing tried to.
  await expect(admin.query(`set role ${role}; delete from people`)).rejects.toThrow('permission denied');
  await admin.query('reset role');
});
