import { suppressingNobody } from './suppression';

const syncs = new Map([
  ['customers-to-ads', { membership: true }],
  ['customers-to-crm', { membership: false }],
]);
const found = (...rows: [string, number][]) =>
  suppressingNobody({ suppressions: () => Promise.resolve(rows.map(([syncId, n]) => ({ syncId, rows: n }))) }, syncs);

test('rows that name an audience are well', async () => {
  expect(await found(['customers-to-ads', 3])).toEqual({});
});

test('a misspelt name, and a sync that is no audience, keep nobody out', async () => {
  expect(await found(['customers-to-ads', 3], ['customer-to-ads-of-the-summer-2026', 2], ['customers-to-crm', 1])).toEqual({
    suppressNobody: { rows: 3, syncs: ['customer-to-ads-of-the-summer-2026', 'customers-to-crm'] },
  });
});

test('what is no name is not shown', async () => {
  expect(await found(['ada@example.com', 1])).toEqual({ suppressNobody: { rows: 1, syncs: ['***'] } });
});
