import { allHandlersFinished, condition, continueAsNew, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import { budgetQuery, changeBudgetUpdate, leasePermitsUpdate } from '../messages';
import { change, sharesInForce } from './commands';
import { details } from './details';
import { lease } from './lease';
import type { BudgetCommand } from './protocol';
import { resumedBudget, type BudgetState } from './state';
import { checkCommand, checkLease } from './validate';
import { viewOf, type BudgetView } from './view';

/** The page in the Web UI is this old at most while there is work: drawing it costs as much as a lease. Milliseconds. */
const showMs = 5_000;

export interface VendorBudgetInput {
  scope: { vendor: string; scope: string };
  /** From the run before. */
  state?: BudgetState;
  /** Updates until the next run. Temporal allows 2,000 in one. @default 1_500 */
  maxUpdates?: number;
}

/**
 * The budget of one scope: who may spend how much of a vendor's quota. Workers lease from it by update; it has no timers and
 * no activities, so an idle budget costs nothing, and it never ends.
 */
export async function vendorBudget(input: VendorBudgetInput): Promise<void> {
  const { scope } = input;
  const state = resumedBudget(Date.now(), input.state);
  let updates = 0;
  let shownAt = -Infinity;
  const show = (): BudgetView => {
    const view = viewOf(scope, state, state.now);
    shownAt = state.now;
    setCurrentDetails(details(view));
    return view;
  };

  setHandler(
    leasePermitsUpdate,
    (request) => {
      updates++;
      const reply = lease(state, request, Date.now());
      // Who leaves may be the last one: no later request would draw it.
      if (request.release || state.now - shownAt >= showMs) show();
      return reply;
    },
    { validator: checkLease },
  );
  setHandler(
    changeBudgetUpdate,
    (command) => {
      updates++;
      state.now = Math.max(state.now, Date.now());
      change(state, command);
      return show();
    },
    { validator: (command: BudgetCommand) => checkCommand(command, sharesInForce(state)) },
  );
  setHandler(budgetQuery, ({ nowMs, waiting }) => viewOf(scope, state, nowMs, waiting));

  await condition(() => updates >= (input.maxUpdates ?? 1_500) || workflowInfo().continueAsNewSuggested);
  await condition(allHandlersFinished);
  await continueAsNew<typeof vendorBudget>({ ...input, state });
}
