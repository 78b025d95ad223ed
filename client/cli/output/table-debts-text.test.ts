import type { RowDebt } from '../../../schemas/table';
import { recordedTerminal } from '../testing/fake-context';
import { printDebts } from './table-debts-text';

const debt = (op: RowDebt['op'], rows: number): RowDebt => ({ op, outcome: 'rejected', code: `${op}_CODE`.toUpperCase(), cause: 'no', rows, sinceMs: 0 });
const shown = (owed: RowDebt[]): string[] => {
  const terminal = recordedTerminal();
  printDebts(terminal, [{ sync: 'people', runId: 'r1', endedAt: '2026-11-22T12:00:00.000Z', owed, underWay: null }]);
  return terminal.out;
};

test('who should have left comes first, in a sentence', () => {
  const lines = shown([debt('remove', 2), debt('upsert', 3)]);
  expect(lines[0]).toContain('people  owes 5 rows after run r1');
  expect(lines[1]).toContain('2 rows left the source and should be gone from the vendor');
  expect(lines.findIndex((line) => line.includes('REMOVE_CODE'))).toBeLessThan(lines.findIndex((line) => line.includes('UPSERT_CODE')));
});

test('without removals there is no such sentence', () => {
  expect(shown([debt('upsert', 3)]).join('\n')).not.toMatch(/left the source/);
  expect(shown([])).toEqual(['people  owes nothing after run r1, 2026-11-22T12:00:00.000Z']);
});

test('before the first run has ended, where that stands', () => {
  const terminal = recordedTerminal();
  const none = { runId: null, endedAt: null, owed: null };
  printDebts(terminal, [
    { sync: 'one', ...none, underWay: 'waiting' },
    { sync: 'two', ...none, underWay: 'running' },
    { sync: 'three', ...none, underWay: null },
  ]);
  expect(terminal.out.filter((line) => line !== '')).toEqual([
    'one  no run has ended yet; the first one waits for approval: npx syncline table status one',
    'two  no run has ended yet; the first one is under way: npx syncline table status two',
    'three  no run that ended is known',
  ]);
});
