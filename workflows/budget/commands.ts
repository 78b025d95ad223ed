import type { BudgetCommand } from './protocol';
import { sum } from './shares';
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
  const scale = shareScale(state);
  return Object.fromEntries(Object.entries({ ...state.shares, ...state.changedShares }).map(([sync, share]) => [sync, share * scale]));
}

/** By what shares are lowered: 1 = they fit, and are granted as declared or changed. */
export function shareScale({ shares, changedShares }: Pick<BudgetState, 'shares' | 'changedShares'>): number {
  const total = sum(Object.values({ ...shares, ...changedShares }));
  return total <= 1 ? 1 : 1 / total;
}
