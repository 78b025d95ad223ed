import type { BudgetCommand } from './protocol';
import type { BudgetState } from './state';

/** Carries out an operator's change; workers hear of it at their next renewal. */
export function change(state: BudgetState, command: BudgetCommand): void {
  switch (command.kind) {
    case 'pause':
      if (!state.held.includes(command.what)) state.held.push(command.what);
      return;
    case 'resume':
      // `all` takes everything back: who asks for it wants things to run.
      state.held = command.what === 'all' ? [] : state.held.filter((one) => one !== command.what);
      return;
    case 'share':
      if (command.share === null) delete state.changedShares[command.sync];
      else state.changedShares[command.sync] = command.share;
      return;
    case 'priority':
      if (command.lane === null) delete state.lanes[command.sync];
      else state.lanes[command.sync] = command.lane;
  }
}

/** Declared shares and those an operator changed. Lowered together where they no longer fit in one. */
export function sharesInForce(state: Pick<BudgetState, 'shares' | 'changedShares'>): Record<string, number> {
  const shares = { ...state.shares, ...state.changedShares };
  const total = Object.values(shares).reduce((sum, share) => sum + share, 0);
  if (total <= 1) return shares;
  return Object.fromEntries(Object.entries(shares).map(([sync, share]) => [sync, share / total]));
}
