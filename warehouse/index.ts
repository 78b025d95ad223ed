import { createDuckDBEngine, type DuckDBOptions } from './duckdb/engine';
import type { Warehouse } from './port';
import { createPostgresEngine } from './postgres/engine';
import { createSqlWarehouse } from './sql/warehouse';

export type * from './port';
export { WarehouseBusy, WarehouseError } from './port';

/** A warehouse on PostgreSQL. Connects when first used. */
export function createPostgresWarehouse(options: { name: string; url: string }): Warehouse {
  return createSqlWarehouse(options.name, createPostgresEngine(options));
}

/** A warehouse on DuckDB. Opens its state when first used, and keeps it: no other process can. */
export function createDuckDBWarehouse(options: DuckDBOptions): Warehouse {
  return createSqlWarehouse(options.name, createDuckDBEngine(options));
}
