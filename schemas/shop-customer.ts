import { z } from 'zod';
import { defineContract } from './contract';

/** A customer of the shop, as Shopify's `customers/create` and `customers/update` webhooks send it. */
export const shopCustomer = defineContract({
  name: 'shop.customer',
  version: 1,
  owner: 'growth',
  description: 'A customer of the shop: who they are and how to reach them.',
  schema: z.object({
    id: z
      .number()
      .positive()
      .meta({ description: 'Shopify’s id of the customer.', examples: [207119551] }),
    email: z
      .email()
      .nullable()
      .meta({ description: 'E-mail address; null when the customer gave none.', examples: ['ada@example.com'] }),
    first_name: z
      .string()
      .nullable()
      .meta({ description: 'Given name.', examples: ['Ada'] }),
    last_name: z
      .string()
      .nullable()
      .meta({ description: 'Family name.', examples: ['Lovelace'] }),
    phone: z
      .string()
      .nullish()
      .meta({ description: 'Phone number, E.164.', examples: ['+15555550100'] }),
    tags: z
      .string()
      .optional()
      .meta({ description: 'Comma-separated labels set in the shop.', examples: ['vip, wholesale'] }),
    updated_at: z.iso.datetime({ offset: true }).meta({ description: 'When the shop last changed the customer.', examples: ['2026-11-22T10:00:00Z'] }),
  }),
});
