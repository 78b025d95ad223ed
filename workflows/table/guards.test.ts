import { sampleCounts, sampleTablePlan } from '../../test/support/sample-table-run';
import { trippedGuards, unapproved } from './guards';

const archiving = sampleTablePlan({ onRemove: 'archive' });
const names = (...args: Parameters<typeof trippedGuards>) => trippedGuards(...args).map(({ guard }) => guard);

test.each([
  [101, 1_000, ['mass-delete']],
  [100, 500, []], // not more than 100 rows
  [101, 1_010, []], // not more than a tenth
  [102, 1_010, ['mass-delete']],
])('%d removals of %d known rows: %j', (removed, known, expected) => {
  expect(names(archiving, sampleCounts({ removed, known }), false)).toEqual(expected);
});

test('removals that nothing happens for need no word', () => {
  expect(names(sampleTablePlan(), sampleCounts({ removed: 900 }), false)).toEqual([]);
});

test('a first run above its number, a full resync, bad keys; several at once', () => {
  expect(names(archiving, sampleCounts({ known: 0, added: 10_000 }), false)).toEqual([]);
  expect(names(archiving, sampleCounts({ known: 0, added: 10_001 }), false)).toEqual(['first-run']);
  expect(names(archiving, sampleCounts({ known: 5, added: 0, resent: 5 }), true)).toEqual(['full-resync']);
  expect(names(archiving, sampleCounts({ read: 100, badKeys: { null: 1, duplicate: 0, long: 0 } }), false)).toEqual([]);
  expect(names(archiving, sampleCounts({ read: 100, known: 0, added: 20_000, badKeys: { null: 1, duplicate: 2, long: 0 } }), true)).toEqual([
    'full-resync',
    'first-run',
    'bad-keys',
  ]);
});

test('an approval holds for what was approved and a tenth more, for that guard alone', () => {
  const guards = trippedGuards(archiving, sampleCounts({ removed: 500 }), false);
  const approval = { decision: 'approve' as const, reason: 'r', by: 'b', at: 't', guards };
  const now = (removed: number) => unapproved(trippedGuards(archiving, sampleCounts({ removed }), false), [approval]);
  expect(now(550)).toEqual([]);
  expect(now(551)).toHaveLength(1);
  expect(unapproved(guards, [{ ...approval, decision: 'reject' }])).toEqual(guards);
  expect(unapproved(trippedGuards(archiving, sampleCounts({ resent: 5 }), true), [approval])).toHaveLength(1);
});
