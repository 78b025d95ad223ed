import { z } from 'zod';
import { archiveContacts } from '../../connectors/hubspot/operations/archive-contacts';
import { upsertContacts } from '../../connectors/hubspot/operations/upsert-contacts';
import { defineContract } from '../../schemas/contract';
import type { WarehouseEngine } from '../../schemas/table';
import { crm } from '../../syncs/accounts';
import { archive, clear, defineTableSync, table, type TableSync, type TableSyncOptions } from '../../syncs/define-table-sync';
import { skip, to } from '../../syncs/define-sync';
import { duckdbWarehouse, postgresWarehouse } from '../../syncs/warehouses-api';
import { wideAccount } from './wide-account';

/** A person in a warehouse. */
export const person = defineContract({
  name: 'warehouse.person',
  version: 1,
  owner: 'tests',
  description: 'A person in the warehouse.',
  schema: z.object({
    id: z.int().meta({ description: 'Our id.', examples: [1] }),
    email: z.string().meta({ description: 'Address.', examples: ['ada@example.com'] }),
    name: z
      .string()
      .nullable()
      .meta({ description: 'Name.', examples: ['Ada'] }),
    visits: z
      .int()
      .min(0)
      .meta({ description: 'Visits.', examples: [3] }),
  }),
});

/** The table syncs that test workers know: one warehouse `test`, one table `people`. `TABLE_LIMITS=wide`: a vendor that takes as much as is sent. */
export function testTableSyncs(engine: WarehouseEngine) {
  const warehouse = engine === 'postgres' ? postgresWarehouse({ name: 'test' }) : duckdbWarehouse({ name: 'test' });
  const base = {
    owner: 'tests',
    from: table(warehouse, 'people', { key: 'id' }),
    contract: person,
    to: to(upsertContacts, { account: process.env['TABLE_LIMITS'] === 'wide' ? wideAccount(crm) : crm }),
    map: ({ email, name, visits }: z.output<typeof person.schema>) =>
      name === 'nobody' ? skip('nobody') : { email, properties: { firstname: name ?? '', numemployees: String(visits) } },
    guards: { firstRows: 1_000_000 },
    onRemove: archive(archiveContacts),
  } satisfies Omit<TableSyncOptions<z.output<typeof person.schema>, { email: string; properties: Record<string, string> }>, 'id'>;
  const open = { firstRows: 1_000_000, removedRows: 1_000_000 };
  const small = { ...base, guards: open, chunkRows: 100, chunksAtOnce: 3, retry: { maxAttempts: 3, initialInterval: '10ms', maxInterval: '200ms' } } as const;
  // Each test has a sync of its own: what one knows of its rows is no other's business.
  return {
    people: defineTableSync({ ...base, id: 'people-to-crm' }),
    poisoned: defineTableSync({ ...small, id: 'poisoned' }),
    dropped: defineTableSync({ ...small, id: 'dropped' }),
    archived: defineTableSync({ ...base, id: 'archived' }),
    changing: defineTableSync({ ...base, id: 'changing', onRemove: clear((email) => ({ email, properties: { firstname: '' } })), overlap: 'buffer' }),
    moved: defineTableSync({ ...small, id: 'moved' }),
    guarded: defineTableSync({ ...base, id: 'guarded', guards: { firstRows: 10, removedRows: 5 } }),
    cancelled: defineTableSync({ ...small, id: 'cancelled' }),
    paused: defineTableSync({ ...small, id: 'paused' }),
    cli: defineTableSync({ ...base, id: 'cli' }),
    misnamed: defineTableSync({ ...base, id: 'misnamed', from: table(warehouse, 'people_of_2026', { key: 'id' }) }),
    // Runs by itself only where a test asks for it.
    scheduled: defineTableSync({
      ...base,
      id: 'scheduled',
      ...(process.env['TABLE_EVERY'] ? { schedule: { every: Number(process.env['TABLE_EVERY']) } } : {}),
    }),
  };
}

/** A table sync that test workers do not know, on a warehouse that none of them serves: declared after they started. */
export function unservedSync(): TableSync {
  const { cli } = testTableSyncs('postgres');
  return { ...cli, id: 'unserved', from: { ...cli.from, warehouse: postgresWarehouse({ name: 'elsewhere' }) } };
}
