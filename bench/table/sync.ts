import { z } from 'zod';
import { upsertContacts } from '../../connectors/hubspot/operations/upsert-contacts';
import { defineContract } from '../../schemas/contract';
import { crm } from '../../syncs/accounts';
import { vendorAccount } from '../../syncs/accounts-api';
import { defineTableSync, table, type TableSync } from '../../syncs/define-table-sync';
import { to } from '../../syncs/define-sync';
import { postgresWarehouse } from '../../syncs/warehouses-api';
import { wideAccount } from '../../test/support/wide-account';
import { contactOf } from './people';

const person = defineContract({
  name: 'bench.person',
  version: 1,
  owner: 'bench',
  description: 'A person in the warehouse.',
  schema: z.object({
    id: z.int().meta({ description: 'Our id.', examples: [1] }),
    email: z.email().meta({ description: 'Address.', examples: ['ada@example.com'] }),
    name: z.string().meta({ description: 'Name.', examples: ['Ada'] }),
    visits: z.int().meta({ description: 'Visits.', examples: [3] }),
  }),
});

/** How much the vendor takes: more than anybody sends, or 100 calls in 10 s. */
export type Limits = 'wide' | 'strict';

/** People to contacts, as its author would write it: chunks, batches and concurrency are the defaults. */
export function peopleSync(limits: Limits): TableSync {
  const account = limits === 'wide' ? wideAccount(crm) : vendorAccount(crm.connector, { name: crm.name, plan: 'free' });
  return defineTableSync({
    id: 'people-to-crm',
    owner: 'bench',
    from: table(postgresWarehouse({ name: 'main' }), 'public.people', { key: 'id' }),
    contract: person,
    to: to(upsertContacts, { account }),
    map: contactOf,
    guards: { firstRows: 100_000_000 },
  });
}
