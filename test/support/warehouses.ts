import { DuckDBInstance } from '@duckdb/node-api';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { createPostgresWarehouse, type Warehouse } from '../../warehouse';
import { createDuckDBEngine } from '../../warehouse/duckdb/engine';
import { createSqlWarehouse } from '../../warehouse/sql/warehouse';
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
export const testWarehouses: { engine: 'postgres' | 'duckdb'; create(): Promise<TestWarehouse> }[] = [
  { engine: 'postgres', create: postgres },
  { engine: 'duckdb', create: duckdb },
];

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
      return (rows as object[]).map(numbers);
    },
    async drop() {
      await warehouse.stop();
      await client.end();
      await database.drop();
    },
  };
}

async function duckdb(): Promise<TestWarehouse> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'syncline-duckdb-'));
  const [file, state] = [path.join(folder, 'people.duckdb'), path.join(folder, 'state.duckdb')];
  const engine = createDuckDBEngine({ name: 'test', path: file, statePath: state });
  const { schema } = engine.dialect;
  return {
    warehouse: createSqlWarehouse('test', engine),
    schema,
    env: { SYNCLINE_WAREHOUSE_TEST_PATH: file, SYNCLINE_WAREHOUSE_TEST_STATE: state },
    async sql(text) {
      // Our file is the warehouse's while it runs; the user's is opened, used and closed, as their own tools would.
      if (text.includes(schema)) return (await engine.run(text)).map(numbers);
      for (let tries = 0; ; tries++) {
        try {
          return (await onFile(file, text)).map(numbers);
        } catch (error) {
          if (!/lock/i.test(String(error)) || tries > 100) throw error;
          await delay(50); // a worker is reading it
        }
      }
    },
    async drop() {
      await engine.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function onFile(file: string, text: string): Promise<object[]> {
  const instance = await DuckDBInstance.create(file);
  try {
    const connection = await instance.connect();
    await connection.run(`set timezone = 'UTC'`);
    const rows = (await connection.runAndReadAll(text)).getRowObjectsJson();
    connection.closeSync();
    return rows;
  } finally {
    instance.closeSync();
  }
}

/** Counts come as numbers, whatever the engine makes of them. */
function numbers(row: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, /^\d{1,15}$/.test(String(value)) ? Number(value) : value]));
}
