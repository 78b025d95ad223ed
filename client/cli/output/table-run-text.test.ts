import type { PlanCounts, TableRunView } from '../../../schemas/table';
import { recordedTerminal } from '../testing/fake-context';
import { printRun, type RunFound } from './table-run-text';

const counts: PlanCounts = {
  read: 4,
  known: 0,
  added: 4,
  changed: 0,
  removed: 0,
  unchanged: 0,
  resent: 0,
  resting: 0,
  badKeys: { null: 0, duplicate: 0, long: 0 },
  planned: 4,
  chunks: 1,
};
const view: TableRunView = {
  runId: 'r1',
  syncId: 'people',
  state: 'planning',
  startedAtMs: 0,
  counts: null,
  outcomes: {},
  ended: 0,
  chunksEnded: 0,
  held: [],
  waitingFor: [],
  expiresAtMs: null,
  approvals: [],
  again: false,
  equation: null,
};
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
