import { z } from 'zod';
import { defineContract } from './contract';

/** A sign-up on the website, sent by our own product in the Standard Webhooks format. */
export const signup = defineContract({
  name: 'web.signup',
  version: 1,
  owner: 'growth',
  description: 'Somebody signed up on the website.',
  schema: z.object({
    type: z.literal('signup.completed').meta({ description: 'Kind of event.', examples: ['signup.completed'] }),
    timestamp: z.iso.datetime({ offset: true }).meta({ description: 'When it happened.', examples: ['2026-11-22T10:00:00Z'] }),
    data: z
      .object({
        customer_id: z.string().meta({ description: 'Our id of the new customer.', examples: ['c-1042'] }),
        email: z.email().meta({ description: 'Address given in the form.', examples: ['ada@example.com'] }),
        company: z
          .string()
          .nullish()
          .meta({ description: 'Company given in the form.', examples: ['Analytical Engines'] }),
      })
      .meta({ description: 'The sign-up.', examples: [{ customer_id: 'c-1042', email: 'ada@example.com', company: 'Analytical Engines' }] }),
  }),
});
