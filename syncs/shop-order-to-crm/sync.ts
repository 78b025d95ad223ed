import { upsertContacts } from '../../connectors/hubspot/operations/upsert-contacts';
import { shopOrder } from '../../schemas/shop-order';
import { crm, shop } from '../accounts';
import { defineSync, skip, to, webhook } from '../define-sync';

/** The contact knows its last order. */
export default defineSync({
  id: 'shop-order-to-crm',
  owner: 'growth',
  description: 'The contact in the CRM knows its last order in the shop.',
  on: webhook(shop, 'orders/create'),
  contract: shopOrder,
  to: to(upsertContacts, { account: crm }),
  map: (order) =>
    order.email === null
      ? skip('the order was placed without an e-mail')
      : {
          email: order.email,
          properties: { last_order_name: order.name, last_order_total: order.total_price, last_order_date: order.created_at.slice(0, 10) },
        },
  budget: { share: 0.3, lane: 'live' },
});
