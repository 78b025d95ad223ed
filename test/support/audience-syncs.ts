import { z } from 'zod';
import { googleDataManager } from '../../connectors/google-data-manager';
import { addToUserList, removeFromUserList } from '../../connectors/google-data-manager/operations/user-list';
import { klaviyo } from '../../connectors/klaviyo';
import { addToList, removeFromList } from '../../connectors/klaviyo/operations/list-members';
import { meta } from '../../connectors/meta';
import { addToAudience, removeFromAudience } from '../../connectors/meta/operations/audience-members';
import { defineContract } from '../../schemas/contract';
import type { WarehouseEngine } from '../../schemas/table';
import { vendorAccount } from '../../syncs/accounts-api';
import { audience, defineAudience } from '../../syncs/define-audience';
import { table } from '../../syncs/define-table-sync';
import { duckdbWarehouse, postgresWarehouse } from '../../syncs/warehouses-api';

const member = defineContract({
  name: 'warehouse.member',
  version: 1,
  owner: 'tests',
  description: 'Somebody who may be in an audience.',
  schema: z.object({
    id: z.int().meta({ description: 'Our id.', examples: [1] }),
    email: z.string().meta({ description: 'Address.', examples: ['ada@example.com'] }),
    phone: z
      .string()
      .nullable()
      .meta({ description: 'Phone number.', examples: ['+44 20 7946 0958'] }),
  }),
});
type Member = z.output<typeof member.schema>;

export const userList = { operatingAccount: { accountType: 'GOOGLE_ADS', accountId: '1234567890' }, userListId: '777' } as const;
export const joinUserList = addToUserList(userList);
export const metaAudience = '120330000000000001';
export const joinAudience = addToAudience(metaAudience);
export const newsletter = 'Y6nRLr';

const google = vendorAccount(googleDataManager, { name: 'main' });
const ads = vendorAccount(meta, { name: 'main' });
const news = vendorAccount(klaviyo, { name: 'main' });

/** Audience pushes: one table `members` with a column of consent. */
export function testAudiences(engine: WarehouseEngine) {
  const warehouse = engine === 'postgres' ? postgresWarehouse({ name: 'test' }) : duckdbWarehouse({ name: 'test' });
  const base = {
    owner: 'tests',
    from: table(warehouse, 'members', { key: 'id' }),
    contract: member,
    consent: 'agreed',
    guards: { firstRows: 1_000_000, removedRows: 1_000_000 },
    retry: { maxAttempts: 3, initialInterval: '10ms', maxInterval: '200ms' },
  } as const;
  const person = ({ email, phone }: Member) => ({ emails: [email], phones: phone === null ? [] : [phone] });
  return {
    google: defineAudience({
      ...base,
      id: 'google-list',
      to: audience({ add: joinUserList, remove: removeFromUserList(userList) }, { account: google }),
      map: person,
    }),
    meta: defineAudience({
      ...base,
      id: 'meta-audience',
      to: audience({ add: joinAudience, remove: removeFromAudience(metaAudience) }, { account: ads }),
      map: person,
    }),
    list: defineAudience({
      ...base,
      id: 'newsletter',
      to: audience({ add: addToList(newsletter), remove: removeFromList(newsletter), leaves: ({ key }) => ({ email: key }) }, { account: news }),
      map: ({ email }: Member) => ({ email }),
    }),
  };
}
