import path from 'node:path';
import type { Environment } from '../../platform/secrets';
import { warehouseAccounts, type TableSync } from '../../syncs/define-table-sync';
import { warehouseVariable, type WarehouseAccount } from '../../syncs/warehouses-api';

/** A warehouse of the sandbox: what reaches it, and what is shown of that. */
export interface SandboxWarehouse {
  name: string;
  shown: string;
  env: Record<string, string>;
  /** To be made when missing. */
  database?: string;
}

export interface WarehousePlaces {
  /** Any database of the sandbox's PostgreSQL. */
  databaseUrl: string;
  /** For the state of DuckDB warehouses. */
  folder: string;
  /** The user's: a DuckDB file of theirs is read, never written, so it may be a real one. */
  env: Environment;
}

/** What table syncs read in a sandbox: a database of its own for each PostgreSQL warehouse, a file of state for each DuckDB one. */
export function sandboxWarehouses(tableSyncs: readonly TableSync[], { databaseUrl, folder, env }: WarehousePlaces): SandboxWarehouse[] {
  return warehouseAccounts(tableSyncs).map((account) => (account.engine === 'postgres' ? inPostgres(account, databaseUrl) : inDuckDB(account, folder, env)));
}

function inPostgres({ name }: WarehouseAccount, databaseUrl: string): SandboxWarehouse {
  const database = `warehouse_${name.replaceAll('-', '_')}`;
  const url = new URL(databaseUrl);
  url.pathname = `/${database}`;
  return { name, shown: url.href, database, env: { [warehouseVariable(name, 'URL')]: url.href } };
}

function inDuckDB({ name }: WarehouseAccount, folder: string, env: Environment): SandboxWarehouse {
  const state = path.join(folder, `warehouse-${name}.duckdb`);
  const file = env[warehouseVariable(name, 'PATH')];
  const data = file ? path.resolve(file) : undefined;
  return {
    name,
    shown: data ? `${data}  (state: ${state})` : `files that its queries name  (state: ${state})`,
    env: { [warehouseVariable(name, 'STATE')]: state, ...(data ? { [warehouseVariable(name, 'PATH')]: data } : {}) },
  };
}
