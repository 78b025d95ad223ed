import { upsertContacts } from '../../connectors/hubspot/operations/upsert-contacts';
import { shopCustomer } from '../../schemas/shop-customer';
import { crm, shop } from '../../syncs/accounts';
import { compilePlan, defineSync, skip, to, webhook } from '../../syncs/define-sync';

// The compiler is the test: an expected error that does not come is an error of `tsc --noEmit`.
const base = { id: 'typed', owner: 'tests', on: webhook(shop, 'customers/update'), contract: shopCustomer, to: to(upsertContacts, { account: crm }) } as const;

describe('what a sync declaration refuses to compile', () => {
  test('a correct one compiles, in any order of properties', () => {
    const sync = defineSync({
      map: (customer) => (customer.email === null ? skip('no e-mail') : { email: customer.email, properties: { firstname: customer.first_name ?? '' } }),
      ...base,
    });
    expect(compilePlan(sync)).toMatchObject({ syncId: 'typed', contract: 'shop.customer@1', operation: 'contacts.upsert', maxBatch: 100 });
  });

  test('a misspelt source field', () => {
    // @ts-expect-error: `emial` is not a field of shop.customer
    defineSync({ ...base, map: (customer) => ({ email: customer.emial, properties: {} }) });
  });

  test('a nullable source field where the target wants text', () => {
    // @ts-expect-error: `email` may be null
    defineSync({ ...base, map: (customer) => ({ email: customer.email, properties: {} }) });
  });

  test('a wrong target type', () => {
    // @ts-expect-error: properties are text
    defineSync({ ...base, map: () => ({ email: 'a@example.com', properties: { visits: 3 } }) });
  });

  test('a missing target field', () => {
    // @ts-expect-error: `properties` is missing
    defineSync({ ...base, map: () => ({ email: 'a@example.com' }) });
  });
});

describe('what a sync declaration refuses at start', () => {
  const map = () => skip('never');
  test.each([
    [{ id: 'Shop Customer' }, /lower-case words joined by dashes/],
    [{ budget: { share: 1.5 } }, /budget\.share 1\.5; expected more than 0 and at most 1/],
    [{ retry: { maxAttempts: 0 } }, /retry\.maxAttempts 0; expected a whole number/],
    [{ retry: { maxInterval: '10 minutes' as never } }, /"10 minutes" is not a duration/],
  ])('%j', (wrong, message) => {
    expect(() => defineSync({ ...base, map, ...wrong })).toThrow(message);
  });
});
