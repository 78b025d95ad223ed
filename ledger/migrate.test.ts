import { Pool } from 'pg';
import { createTestDatabase } from '../test/support/servers';
import { createLedger } from '.';
import { migrate } from './migrate';
import { migrations } from './migrations';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let pool: Pool;
beforeEach(async () => {
  database = await createTestDatabase('migrate');
  pool = new Pool({ connectionString: database.url });
});
afterEach(async () => {
  await pool.end();
  await database.drop();
});

const names = migrations.map(({ name }) => name);

test('several processes that start at once migrate once', async () => {
  const done = await Promise.all(Array.from({ length: 5 }, () => migrate(pool)));
  expect(done.flat()).toEqual(names);
  expect((await pool.query('select name from syncline.migrations order by name')).rows.map(({ name }) => name)).toEqual(names);
  expect(await migrate(pool)).toEqual([]);
});

test('names are numbered in the order of the list', () => {
  expect(names.map((name) => Number(name.slice(0, 4)))).toEqual(names.map((_, index) => index + 1));
});

test('an applied migration that was edited is refused by name', async () => {
  await migrate(pool);
  const edited = migrations.map((one) => (one.name === names[0] ? { ...one, sql: `${one.sql} -- edited` } : one));
  await expect(migrate(pool, edited)).rejects.toThrow(`Migration ${names[0]} was changed after it was applied`);
});

test('all or nothing: a failing one leaves the schema as it was', async () => {
  await expect(migrate(pool, [...migrations, { name: '9999-broken', sql: 'create table syncline.extra (id int); nonsense' }])).rejects.toThrow(/syntax/);
  expect((await pool.query(`select to_regnamespace('syncline') as schema`)).rows).toEqual([{ schema: null }]);
  expect(await migrate(pool)).toEqual(names);
});

test('a newer process adds only what is new, and an older one goes on beside it', async () => {
  await migrate(pool);
  expect(await migrate(pool, [...migrations, { name: '9999-more', sql: 'create table syncline.extra (id int)' }])).toEqual(['9999-more']);
  expect(await migrate(pool)).toEqual([]);
});

test("ping tells an empty database from a ledger, and the pool stays its owner's", async () => {
  const ledger = createLedger({ pool });
  await expect(ledger.ping()).rejects.toThrow(/not migrated/);
  await ledger.migrate();
  await ledger.ping();
  await ledger.close();
  expect(pool.ended).toBe(false);
});

test('either a pool or a connection string', () => {
  expect(() => createLedger({})).toThrow(TypeError);
  expect(() => createLedger({ pool, connectionString: 'postgres://x' })).toThrow(TypeError);
});
