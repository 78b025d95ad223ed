import type { z } from 'zod';
import { klaviyo } from '../../connectors/klaviyo';
import { importProfiles } from '../../connectors/klaviyo/operations/import-profiles';
import { salesforce } from '../../connectors/salesforce';
import { importContacts } from '../../connectors/salesforce/operations/contacts';
import type { WarehouseEngine } from '../../schemas/table';
import { vendorAccount } from '../../syncs/accounts-api';
import { defineTableSync, table } from '../../syncs/define-table-sync';
import { to } from '../../syncs/define-sync';
import { duckdbWarehouse, postgresWarehouse } from '../../syncs/warehouses-api';
import { person } from './table-syncs';

const news = vendorAccount(klaviyo, { name: 'main' });
const sales = vendorAccount(salesforce, { name: 'main' });
type Person = z.output<typeof person.schema>;

/** Table syncs to vendors that take rows as jobs. */
export function testJobSyncs(engine: WarehouseEngine) {
  const warehouse = engine === 'postgres' ? postgresWarehouse({ name: 'test' }) : duckdbWarehouse({ name: 'test' });
  const base = {
    owner: 'tests',
    from: table(warehouse, 'people', { key: 'id' }),
    contract: person,
    guards: { firstRows: 1_000_000, removedRows: 1_000_000 },
    chunkRows: 500,
    retry: { maxAttempts: 3, initialInterval: '10ms', maxInterval: '200ms' },
  } as const;
  const profile = ({ email, name, visits }: Person) => ({ email, attributes: { first_name: name }, properties: { visits } });
  return {
    profiles: defineTableSync({ ...base, id: 'profiles', to: to(importProfiles, { account: news }), map: profile }),
    killed: defineTableSync({ ...base, id: 'killed', to: to(importProfiles, { account: news }), map: profile }),
    cancelled: defineTableSync({ ...base, id: 'cancelled-jobs', to: to(importProfiles, { account: news }), map: profile }),
    contacts: defineTableSync({
      ...base,
      id: 'contacts',
      to: to(importContacts, { account: sales }),
      map: ({ id, name, visits }: Person) => ({ externalId: `P-${id}`, fields: { LastName: name, Title: `${visits} visits` } }),
    }),
  };
}
