import { upsertContacts } from '../../connectors/hubspot/operations/upsert-contacts';
import { shopCustomer } from '../../schemas/shop-customer';
import { crm, shop } from '../accounts';
import { defineSync, skip, to, webhook } from '../define-sync';

/** Customers of the shop become contacts in the CRM. */
export default defineSync({
  id: 'shop-customer-to-crm',
  owner: 'growth',
  description: 'Customers of the shop become contacts in the CRM.',
  on: webhook(shop, 'customers/create', 'customers/update'),
  contract: shopCustomer,
  to: to(upsertContacts, { account: crm }),
  map: (customer) =>
    customer.email === null
      ? skip('the customer has no e-mail')
      : {
          email: customer.email,
          properties: {
            firstname: customer.first_name ?? '',
            lastname: customer.last_name ?? '',
            ...(customer.phone ? { phone: customer.phone } : {}),
          },
        },
  budget: { share: 0.4, lane: 'live' },
});
