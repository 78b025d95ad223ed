import type { WarehouseEngine } from '../schemas/table';

/** A warehouse that table syncs read, by name; where it is stands in the environment. */
export interface WarehouseAccount {
  readonly kind: 'warehouse';
  readonly engine: WarehouseEngine;
  /** Part of task queues and of variables' names: never renamed. */
  readonly name: string;
}

/** Declares a PostgreSQL warehouse. Its address comes from `SYNCLINE_WAREHOUSE_<NAME>_URL`. */
export function postgresWarehouse(options: { name: string }): WarehouseAccount {
  return declared('postgres', options.name);
}

/**
 * Declares a DuckDB warehouse: a database file (`SYNCLINE_WAREHOUSE_<NAME>_PATH`), or none, for queries over CSV and Parquet
 * files. Our tables are in a file of their own (`SYNCLINE_WAREHOUSE_<NAME>_STATE`).
 */
export function duckdbWarehouse(options: { name: string }): WarehouseAccount {
  return declared('duckdb', options.name);
}

function declared(engine: WarehouseEngine, name: string): WarehouseAccount {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw new Error(`warehouse "${name}" is not lower-case words joined by dashes (it becomes part of a queue and of variables)`);
  return { kind: 'warehouse', engine, name };
}

/** `SYNCLINE_WAREHOUSE_<NAME>_<FIELD>` */
export function warehouseVariable(name: string, field: 'URL' | 'PATH' | 'STATE'): string {
  return `SYNCLINE_WAREHOUSE_${name.toUpperCase().replaceAll('-', '_')}_${field}`;
}
