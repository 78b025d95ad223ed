import { z } from 'zod';
import { defineContract } from './contract';

/** Stripe's `customer.created` and `customer.updated` events. */
export const billingCustomer = defineContract({
  name: 'billing.customer',
  version: 1,
  owner: 'billing',
  description: 'A customer in the billing system changed.',
  schema: z.object({
    id: z.string().meta({ description: 'Stripe’s id of the event.', examples: ['evt_1NG8Du2eZvKYlo2CUI79vXWy'] }),
    data: z
      .object({
        object: z
          .object({
            id: z.string().meta({ description: 'Stripe’s id of the customer.', examples: ['cus_NffrFeUfNV2Hib'] }),
            email: z
              .email()
              .nullable()
              .meta({ description: 'Billing e-mail.', examples: ['ada@example.com'] }),
            name: z
              .string()
              .nullable()
              .meta({ description: 'Full name or business name.', examples: ['Ada Lovelace'] }),
            delinquent: z
              .boolean()
              .nullish()
              .meta({ description: 'Whether the latest charge failed.', examples: [false] }),
          })
          .meta({ description: 'The customer after the change.', examples: [{ id: 'cus_NffrFeUfNV2Hib', email: 'ada@example.com', name: 'Ada Lovelace' }] }),
      })
      .meta({
        description: 'Envelope of the changed object.',
        examples: [{ object: { id: 'cus_NffrFeUfNV2Hib', email: 'ada@example.com', name: 'Ada Lovelace' } }],
      }),
  }),
});
