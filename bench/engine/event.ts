/** What Shopify sends when a customer changed (shopify.dev, REST admin, customer, 2026), without the marketing consent blocks. */
export interface Customer {
  email: string;
  first_name: string;
  last_name: string;
  phone: string;
  [field: string]: unknown;
}

/** Event `index` of a round: a record of its own, the same on both sides. */
export function customerOf(round: string, index: number): Customer {
  const id = 700_000_000 + index;
  const address = {
    id: id + 1,
    customer_id: id,
    first_name: 'Ada',
    last_name: 'Lovelace',
    company: 'Analytical Engines',
    address1: 'Chestnut Street 92',
    address2: null,
    city: 'Louisville',
    province: 'Kentucky',
    country: 'United States',
    zip: '40202',
    phone: '555-625-1199',
    name: 'Ada Lovelace',
    province_code: 'KY',
    country_code: 'US',
    country_name: 'United States',
    default: true,
  };
  return {
    id,
    email: emailOf(round, index),
    created_at: '2026-01-05T09:00:00-05:00',
    updated_at: new Date().toISOString(),
    first_name: 'Ada',
    last_name: 'Lovelace',
    orders_count: 3,
    state: 'enabled',
    total_spent: '199.65',
    last_order_id: 450789469,
    note: null,
    verified_email: true,
    multipass_identifier: null,
    tax_exempt: false,
    tags: 'vip, wholesale',
    last_order_name: '#1001',
    currency: 'USD',
    phone: '+15555550100',
    addresses: [address],
    tax_exemptions: [],
    admin_graphql_api_id: `gid://shopify/Customer/${id}`,
    default_address: address,
  };
}

export function emailOf(round: string, index: number): string {
  return `${round}-${index}@example.com`;
}

export function eventIdOf(round: string, index: number): string {
  return `${round}-${index}`;
}
