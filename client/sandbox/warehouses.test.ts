import path from 'node:path';
import { createSecrets } from '../../platform/secrets';
import { testTableSyncs } from '../../test/support/table-syncs';
import { createWarehouses } from '../../workers/warehouses';
import { sandboxWarehouses } from './warehouses';

const places = { databaseUrl: 'postgres://syncline:syncline@127.0.0.1:5433/syncline', folder: '/tmp/state', env: {} };

test.each(['postgres', 'duckdb'] as const)('a %s warehouse of the table syncs is there as soon as it is declared', (engine) => {
  const tableSyncs = Object.values(testTableSyncs(engine));
  const warehouses = sandboxWarehouses(tableSyncs, places);
  expect(warehouses.map(({ name }) => name)).toEqual(['test']);
  const env = Object.assign({}, ...warehouses.map((one) => one.env)) as Record<string, string>;
  // What a worker needs to start.
  expect([...createWarehouses(tableSyncs, createSecrets({ env, mode: 'sandbox' })).keys()]).toEqual(['test']);
});

test('PostgreSQL: a database of its own; DuckDB: state beside the other data, and a file of the user’s is passed on', () => {
  expect(sandboxWarehouses(Object.values(testTableSyncs('postgres')), places)).toMatchObject([
    { database: 'warehouse_test', env: { SYNCLINE_WAREHOUSE_TEST_URL: 'postgres://syncline:syncline@127.0.0.1:5433/warehouse_test' } },
  ]);
  const env = { SYNCLINE_WAREHOUSE_TEST_PATH: 'shop.duckdb', SYNCLINE_WAREHOUSE_TEST_STATE: '/real/state.duckdb' };
  expect(sandboxWarehouses(Object.values(testTableSyncs('duckdb')), { ...places, env })).toMatchObject([
    { env: { SYNCLINE_WAREHOUSE_TEST_PATH: path.resolve('shop.duckdb'), SYNCLINE_WAREHOUSE_TEST_STATE: '/tmp/state/warehouse-test.duckdb' } },
  ]);
});
