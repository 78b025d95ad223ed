import { sampleCounts, sampleTableView } from '../../../test/support/sample-table-run';
import { recordedTerminal } from '../testing/fake-context';
import { printRun, type RunFound } from './table-run-text';

const counts = sampleCounts({ read: 4, known: 0, added: 4 });
const view = sampleTableView();
const shown = (found: Partial<RunFound>): string[] => {
  const terminal = recordedTerminal();
  printRun(terminal, { view, trouble: null, ...found });
  return terminal.out;
};

test('why a run failed, with its code and the next step', () => {
  const trouble = { code: 'SOURCE_UNKNOWN', why: 'relation "marts.people" does not exist', next: 'make the table' };
  expect(shown({ view: { ...view, state: 'failed' }, trouble })).toEqual([
    'people  run r1: failed',
    '  why:  SOURCE_UNKNOWN: relation "marts.people" does not exist',
    '  next: make the table',
  ]);
});

test('rows of suppression that keep nobody out are told', () => {
  const astray = (rows: number) => shown({ view: { ...view, counts: { ...counts, suppressNobody: { rows, syncs: ['customer-to-ads'] } } } }).at(-1);
  expect(astray(1)).toBe('  1 row of syncline.suppression names no declared audience and keeps nobody out: customer-to-ads');
  expect(astray(2)).toBe('  2 rows of syncline.suppression name no declared audience and keep nobody out: customer-to-ads');
});

describe('approvals', () => {
  const approval = {
    by: 'ada',
    at: '2026-11-22T12:00:00.000Z',
    reason: 'looked at it',
    guards: [{ guard: 'mass-delete' as const, rows: 10, why: '10 are gone' }],
  };

  test('a run that waits again says what had been approved', () => {
    const waitingFor = [{ guard: 'mass-delete' as const, rows: 15, why: '15 of 20 known rows are gone' }];
    const lines = shown({ view: { ...view, state: 'waiting', waitingFor, approvals: [{ ...approval, decision: 'approve' }] } });
    expect(lines).toContain('  mass-delete: 15 of 20 known rows are gone; 10 rows of it had been approved, and it has grown since');
    expect(lines.at(-1)).toBe('  approved by ada at 2026-11-22T12:00:00.000Z: looked at it');
    const first = shown({ view: { ...view, state: 'waiting', waitingFor } });
    expect(first).toContain('  mass-delete: 15 of 20 known rows are gone');
  });

  test('a run is refused, by one word: `rejected` are rows', () => {
    const lines = shown({ view: { ...view, state: 'refused', approvals: [{ ...approval, decision: 'reject' }] } });
    expect(lines).toEqual(['people  run r1: refused by an operator', '  refused by ada at 2026-11-22T12:00:00.000Z: looked at it']);
  });
});
