import { z } from 'zod';
import { contractJsonSchema, defineContract } from '../../schemas/contract';
import { fieldRows } from './contract-fields';

const contract = defineContract({
  name: 'test.order',
  version: 1,
  owner: 'tests',
  description: 'An order.',
  schema: z.object({
    id: z.int().meta({ description: 'Its number.', examples: [7] }),
    email: z
      .email()
      .nullable()
      .meta({ description: 'Who ordered.', examples: ['ada@example.com'] }),
    state: z.enum(['open', 'paid']),
    note: z.string().optional(),
    customer: z.object({ name: z.string().meta({ description: 'Full name.' }) }).nullable(),
    lines: z.array(z.object({ sku: z.string(), count: z.number() })),
  }),
});

test('every field with type, presence, description and example; nested ones below their holder', () => {
  const rows = fieldRows(contractJsonSchema(contract));
  expect(rows.map(({ field }) => field)).toEqual(['id', 'email', 'state', 'note', 'customer', 'customer.name', 'lines', 'lines[].sku', 'lines[].count']);
  expect(rows[0]).toEqual({ field: 'id', type: 'integer', required: true, description: 'Its number.', example: '7' });
  expect(rows[1]).toMatchObject({ type: 'string (email) | null', example: 'ada@example.com', description: 'Who ordered.' });
  expect(rows[2]?.type).toBe('"open" | "paid"');
  expect(rows[3]?.required).toBe(false);
  expect(rows[6]?.type).toBe('list of object');
});
