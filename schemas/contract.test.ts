import { z } from 'zod';
import { violations } from './contract';

const schema = z.object({
  email: z.email(),
  plan: z.enum(['free', 'pro']),
  seats: z.int().min(1).max(9),
  code: z.string().refine((text) => text === 'x', { error: 'expected an x' }),
});
const words = (body: unknown): string[] =>
  violations(schema.safeParse(body).error!, body).map(({ field, expected, found }) => `${field}: expected ${expected}, found ${found}`);

test('what was expected is never what was found', () => {
  expect(words({ email: 'ada', plan: 'gold', seats: 0, code: 'y' })).toEqual([
    'email: expected string (email), found a string of another form',
    'plan: expected one of free, pro, found another string',
    'seats: expected number of at least 1, found less',
    'code: expected an x, found string',
  ]);
  expect(words({ email: null, seats: 10, plan: 'pro', code: 'x' })).toEqual([
    'email: expected string, found null',
    'seats: expected number of at most 9, found more',
  ]);
  expect(words({ email: 'ada@example.com', plan: 1, seats: '2', code: 'x' })).toEqual([
    'plan: expected one of free, pro, found number',
    'seats: expected number, found string',
  ]);
});
