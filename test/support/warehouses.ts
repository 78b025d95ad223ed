import { Client } from 'pg';
import { createPostgresWarehouse, type Warehouse } from '../../warehouse';
import { createTestDatabase } from './servers';

/** A warehouse on an empty database, with the user's own way in. */
export interface TestWarehouse {
  warehouse: Warehouse;
  /** Where our tables are, for `sql`. */
  schema: string;
  /** Statements of the user. Numbers come as numbers. */
  sql(text: string): Promise<any[]>;
  /** What a worker needs to reach it. */
  env: Record<string, string>;
  drop(): Promise<void>;
}

/** Every engine: suites loop over them. */
export const testWarehouses: { engine: 'postgres' | 'duckdb'; create(): Promise<TestWarehouse> }[] = [{ engine: 'postgres', create: postgres }];

async function postgres(): Promise<TestWarehouse> {
  const database = await createTestDatabase('warehouse');
  const warehouse = createPostgresWarehouse({ name: 'test', url: database.url });
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query(`set timezone = 'UTC'`);
  return {
    warehouse,
    schema: 'syncline',
    env: { SYNCLINE_WAREHOUSE_TEST_URL: database.url },
    async sql(text) {
      const { rows } = await client.query(text);
      return rows.map((row) =>
        Object.fromEntries(Object.entries(row as object).map(([name, value]) => [name, /^\d{1,15}$/.test(String(value)) ? Number(value) : value])),
      );
    },
    async drop() {
      await warehouse.stop();
      await client.end();
      await database.drop();
    },
  };
}
