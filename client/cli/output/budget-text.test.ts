import { change } from '../../../workflows/budget/commands';
import { newBudget, type BudgetState } from '../../../workflows/budget/state';
import { viewOf } from '../../../workflows/budget/view';
import { recordedTerminal, testNow } from '../testing/fake-context';
import { printBudgets } from './budget-text';

const scope = { vendor: 'hubspot', scope: 'main' };

function shown(shape: (state: BudgetState) => void): string {
  const state = newBudget(testNow);
  shape(state);
  const terminal = recordedTerminal();
  printBudgets(terminal, [{ scope, view: viewOf(scope, state, testNow) }]);
  return terminal.out.join('\n');
}

test('what an operator changed stands there: pauses, lanes and shares', () => {
  const text = shown((state) => {
    state.shares = { x: 0.5 };
    change(state, { kind: 'pause', what: 'lane:replay' });
    change(state, { kind: 'priority', sync: 'x', lane: 'backfill' });
    change(state, { kind: 'share', sync: 'y', share: 0.3 });
  });
  expect(text).toContain('changed by an operator: lane:replay paused, x served as backfill, share of y set to 30 %');
  expect(text).not.toContain('lowered');
});

test('shares that no longer fit together are lowered, and that is said', () => {
  const text = shown((state) => {
    state.shares = { x: 0.9 };
    state.changedShares = { y: 0.3 };
  });
  expect(text).toContain('share of y set to 30 %');
  expect(text).toContain('shares sum to 120 %: each is lowered to 83 % of what was declared or set');
  expect(shown((state) => (state.shares = { a: 0.1, b: 0.2, c: 0.7, d: 1e-16 }))).not.toContain('lowered');
});
