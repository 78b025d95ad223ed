import { sha256Hex } from '../platform/hash';
import { budgetWorkflowId, eventWorkflowId, vendorTaskQueue, tableRunWorkflowId, tableScheduleId, tableTickWorkflowId, warehouseTaskQueue } from './ids';

// Golden: a changed id format means that every event of the last retention period is delivered a second time.
describe('ids', () => {
  const id = (syncId: string, sourceAccount: string, eventId: string) => eventWorkflowId({ syncId, sourceAccount, eventId }, sha256Hex);

  test.each([
    ['shop-customer-to-crm', 'shop', 'customers/update:b54557e4-bdd9', 'shop-customer-to-crm/shop/customers%2Fupdate%3Ab54557e4-bdd9'],
    ['billing-customer-to-crm', 'billing', 'evt_1NG8Du2eZvKYlo2CUI79vXWy', 'billing-customer-to-crm/billing/evt_1NG8Du2eZvKYlo2CUI79vXWy'],
    ['s', 'a/b', 'ünï', 's/a%2Fb/%C3%BCn%C3%AF'],
  ])('%s/%s/%s', (syncId, account, eventId, expected) => {
    expect(id(syncId, account, eventId)).toBe(expected);
  });

  test('an event id that makes it longer than 200 bytes is hashed, and stays distinct', () => {
    const long = 'x'.repeat(300);
    expect(id('s', 'a', long)).toBe(`s/a/sha256-${sha256Hex(long)}`);
    expect(id('s', 'a', `${long}y`)).not.toBe(id('s', 'a', long));
    expect(id('s', 'a', 'x'.repeat(196))).toHaveLength(200);
    expect(id('s', 'a', 'x'.repeat(197))).toMatch(/^s\/a\/sha256-/);
  });

  test('queues and budgets', () => {
    expect(vendorTaskQueue('hubspot', 'main', 'live')).toBe('vendor/hubspot/main/live');
    expect(vendorTaskQueue('hubspot', 'eu west', 'bulk')).toBe('vendor/hubspot/eu%20west/bulk');
    expect(budgetWorkflowId({ vendor: 'meta', scope: 'act_1' })).toBe('budget/meta/act_1');
  });

  test('tables: one run at a time under one id, whoever starts it', () => {
    expect(warehouseTaskQueue('main')).toBe('warehouse/main');
    expect(tableRunWorkflowId('people-to-crm')).toBe('people-to-crm/run');
    expect(tableTickWorkflowId('people-to-crm')).toBe('people-to-crm/tick');
    expect(tableScheduleId('people-to-crm')).toBe('people-to-crm/schedule');
  });
});
