import { klaviyo } from '../connectors/klaviyo';
import { removeFromList } from '../connectors/klaviyo/operations/list-members';
import { upsertProfiles } from '../connectors/klaviyo/operations/upsert-profiles';
import { shopCustomer } from '../schemas/shop-customer';
import { crm, shop } from '../syncs/accounts';
import { vendorAccount } from '../syncs/accounts-api';
import { compilePlan, defineSync, skip, to, webhook, type Destination, type Sync } from '../syncs/define-sync';
import { upsertContacts } from '../connectors/hubspot/operations/upsert-contacts';
import { budgetWorkflowId } from '../workflows/ids';
import { declaredBudgets, queueMates } from './budgets';

const mail = vendorAccount(klaviyo, { name: 'mail' });

function sync<I>(id: string, destination: Destination<I>, share?: number): Sync {
  return defineSync({
    id,
    owner: 'tests',
    on: webhook(shop, 'customers/update'),
    contract: shopCustomer,
    to: destination,
    map: () => skip('never'),
    ...(share === undefined ? {} : { budget: { share } }),
  });
}

test('a vendor that counts families of endpoints apart has a budget for each, with its own limits', () => {
  const budgets = declaredBudgets([sync('profiles', to(upsertProfiles, { account: mail }))]);
  const maxima = [...budgets].map(([id, { limits }]) => [id, ...limits.map(({ max }) => max)]);
  expect(maxima).toEqual([
    ['klaviyo/mail.profiles', 75, 750],
    ['klaviyo/mail.imports', 10, 150],
    ['klaviyo/mail.lists', 10, 150],
  ]);
});

test('one that has a single quota keeps its one budget, named like the account', () => {
  expect([...declaredBudgets([sync('crm', to(upsertContacts, { account: crm }))]).keys()]).toEqual([`hubspot/${crm.name}`]);
  expect(compilePlan(sync('crm', to(upsertContacts, { account: crm }))).scopes).toEqual([{ vendor: 'hubspot', scope: crm.name }]);
});

test('a record waits for the quota its first request counts by', () => {
  expect(compilePlan(sync('profiles', to(upsertProfiles, { account: mail }))).scopes).toEqual([{ vendor: 'klaviyo', scope: 'mail.profiles' }]);
  const several = vendorAccount(klaviyo, { name: 'mail', scopes: ['eu', 'all'] });
  const { scopes } = compilePlan(sync('leavers', to(removeFromList('Y6nRLr'), { account: several })));
  expect(scopes.map(budgetWorkflowId)).toEqual(['budget/klaviyo/eu.profiles', 'budget/klaviyo/all.profiles']);
});

test('quotas of one account share its queues; another account’s do not', () => {
  const remove = { ...upsertProfiles, quota: 'lists' };
  const syncs = [
    sync('in', to(upsertProfiles, { account: mail })),
    sync('out', to(remove, { account: mail })),
    sync('crm', to(upsertContacts, { account: crm })),
  ];
  const named = (id: string) => [
    ...new Set(queueMates(syncs, compilePlan(syncs.find((one) => one.id === id)!).scopes).map((scopes) => scopes.map(budgetWorkflowId).join())),
  ];
  expect(named('in')).toHaveLength(2);
  expect(named('in')[0]).toBe('budget/klaviyo/mail.profiles');
  expect(named('crm')).toEqual([`budget/hubspot/${crm.name}`]);
});

test('shares are of the quota a sync waits for', () => {
  const syncs = [sync('one', to(upsertProfiles, { account: mail }), 0.6), sync('two', to(upsertContacts, { account: crm }), 0.6)];
  const budgets = declaredBudgets(syncs);
  expect(budgets.get('klaviyo/mail.profiles')?.shares).toEqual({ one: 0.6 });
  expect(budgets.get('klaviyo/mail.lists')?.shares).toEqual({});
  expect(() => declaredBudgets([...syncs, sync('three', to(upsertProfiles, { account: mail }), 0.6)])).toThrow(/klaviyo\/mail\.profiles/);
});
