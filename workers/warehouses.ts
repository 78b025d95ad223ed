import { createDuckDBWarehouse, createPostgresWarehouse, type Warehouse } from '../warehouse';
import { ConfigError } from '../platform/config';
import { SecretError, type Secrets } from '../platform/secrets';
import { warehouseAccounts, type TableSync } from '../syncs/define-table-sync';
import { warehouseVariable, type WarehouseAccount } from '../syncs/warehouses-api';

/** Opens nothing yet; a missing address stops the start, not the first run. */
export function createWarehouses(tableSyncs: readonly TableSync[], secrets: Secrets): Map<string, Warehouse> {
  const problems: string[] = [];
  const warehouses = new Map<string, Warehouse>();
  for (const account of warehouseAccounts(tableSyncs)) {
    try {
      warehouses.set(account.name, createWarehouse(account, secrets));
    } catch (error) {
      if (!(error instanceof SecretError)) throw error;
      problems.push(error.message);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return warehouses;
}

function createWarehouse({ engine, name }: WarehouseAccount, secrets: Secrets): Warehouse {
  if (engine === 'postgres') return createPostgresWarehouse({ name, url: secrets.one(warehouseVariable(name, 'URL')) });
  const path = secrets.optional(warehouseVariable(name, 'PATH'));
  return createDuckDBWarehouse({ name, statePath: secrets.one(warehouseVariable(name, 'STATE')), ...(path === undefined ? {} : { path }) });
}
