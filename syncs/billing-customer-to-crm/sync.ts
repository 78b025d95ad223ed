import { upsertContacts } from '../../connectors/hubspot/operations/upsert-contacts';
import { billingCustomer } from '../../schemas/billing-customer';
import { billing, crm } from '../accounts';
import { defineSync, skip, to, webhook } from '../define-sync';

/** Billing facts of a customer reach the CRM. */
export default defineSync({
  id: 'billing-customer-to-crm',
  owner: 'billing',
  description: 'Billing facts of a customer reach the CRM.',
  on: webhook(billing, 'customer.created', 'customer.updated'),
  contract: billingCustomer,
  to: to(upsertContacts, { account: crm }),
  map: ({ data: { object: customer } }) =>
    customer.email === null
      ? skip('the customer has no billing e-mail')
      : { email: customer.email, properties: { stripe_customer_id: customer.id, billing_delinquent: String(customer.delinquent ?? false) } },
  budget: { share: 0.1, lane: 'live' },
});
