import { z } from 'zod';
import { defineContract } from './contract';

/** An order of the shop, as Shopify's `orders/create` webhook sends it. */
export const shopOrder = defineContract({
  name: 'shop.order',
  version: 1,
  owner: 'growth',
  description: 'An order placed in the shop.',
  schema: z.object({
    id: z
      .number()
      .positive()
      .meta({ description: 'Shopify’s id of the order.', examples: [450789469] }),
    name: z.string().meta({ description: 'Order number as the customer sees it.', examples: ['#1001'] }),
    email: z
      .email()
      .nullable()
      .meta({ description: 'E-mail the order was placed with; null for point-of-sale orders.', examples: ['ada@example.com'] }),
    total_price: z
      .string()
      .regex(/^\d+\.\d{2}$/)
      .meta({ description: 'Total in the shop’s currency, as decimal text.', examples: ['409.94'] }),
    currency: z
      .string()
      .length(3)
      .meta({ description: 'ISO 4217 code of the currency.', examples: ['USD'] }),
    created_at: z.iso.datetime({ offset: true }).meta({ description: 'When the order was placed.', examples: ['2026-11-22T10:00:00Z'] }),
  }),
});
