import { klaviyo } from '../../connectors/klaviyo';
import { upsertProfiles } from '../../connectors/klaviyo/operations/upsert-profiles';
import type { Limit } from '../../connectors/connector';
import type { OffPeak } from '../../schemas/off-peak';
import { shopCustomer } from '../../schemas/shop-customer';
import { shop } from '../../syncs/accounts';
import { vendorAccount } from '../../syncs/accounts-api';
import { defineSync, skip, to, webhook, type Sync } from '../../syncs/define-sync';
import shopCustomerToCrm from '../../syncs/shop-customer-to-crm/sync';

/** Windows that a test can live to see the end of. */
export interface Narrow {
  /** In place of HubSpot's day: its length and its calls. */
  day?: { ms: number; max: number };
  /** When backfill may go to Klaviyo. */
  offPeak?: Pick<OffPeak, 'from' | 'to'>;
}

/** Customers of the shop become contacts, many a call, and profiles, one call each. */
export function narrowSyncs({ day, offPeak }: Narrow): { contacts: Sync; profiles: Sync } {
  const { account } = shopCustomerToCrm.to;
  const { connector } = account;
  const limits = (plan: string | undefined, quota?: string): readonly Limit[] =>
    connector.limits(plan, quota).map((limit) => (day && limit.name === 'DAILY' ? { ...limit, ...day } : limit));
  const hours = offPeak ? { offPeak: { lanes: ['backfill' as const], ...offPeak, timeZone: 'UTC' } } : {};
  return {
    contacts: { ...shopCustomerToCrm, to: { ...shopCustomerToCrm.to, account: vendorAccount({ ...connector, limits }, account) } },
    profiles: defineSync({
      id: 'customer-to-news',
      owner: 'tests',
      on: webhook(shop, 'customers/create', 'customers/update'),
      contract: shopCustomer,
      to: to(upsertProfiles, { account: vendorAccount(klaviyo, { name: 'main', ...hours }) }),
      map: ({ email, first_name }) => (email === null ? skip('no e-mail') : { email, attributes: { first_name: first_name ?? '' } }),
    }),
  };
}
