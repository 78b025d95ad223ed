import { isFailedOutcome, terminalOutcomes } from '../schemas/outcome';
import { isFailure } from './outcomes';

// Workflows may not import values from schemas/: two tables, one truth.
test.each(terminalOutcomes)('%s ends a run the way the ledger lists it', (outcome) => {
  expect(isFailure(outcome)).toBe(isFailedOutcome(outcome));
});
