import type { Lane } from '../../schemas/plan';
import { offPeakAt } from './off-peak';
import type { GroupDemand, OffPeakReply } from './protocol';
import { sum, type Demand } from './shares';
import type { BudgetState } from './state';

/** The lane a group is served in: an operator may have changed it. */
export function laneOf({ lanes }: Pick<BudgetState, 'lanes'>, { sync, lane }: Pick<GroupDemand, 'sync' | 'lane'>): Lane {
  return lanes[sync] ?? lane;
}

/** What a group wants of a window. */
export function demandOf(state: BudgetState, worker: string, group: GroupDemand, of: { window: number; limit: number; offPeak: OffPeakReply | null }): Demand {
  const { window, limit } = of;
  const lane = laneOf(state, group);
  const held = isHeld(state, group.sync, lane) || shutMs(of.offPeak, lane) > 0;
  const used = group.used[window] ?? 0;
  // Live records come in fits: some room above what they took last, and more while that was too little. Bulk with all its
  // slots taken wants whatever there is.
  const live = group.full ? Math.ceil(1.5 * used) + 2 * group.waiting + 3 : Math.ceil(1.25 * used) + group.waiting + 2;
  const want = lane === 'live' ? live : group.full ? limit : used + group.waiting;
  // Calls at once count as one each, whatever they cost.
  const cost = state.slots[window]?.ms === 0 ? 1 : (group.cost ?? 1);
  return { worker, sync: group.sync, lane, want: held ? 0 : Math.min(limit, want), cost };
}

/** Units all workers have in a short window, as they said last. */
export function unitsInUse(state: Pick<BudgetState, 'workers'>, window: number): number {
  return sum(Object.values(state.workers).flatMap(({ demand }) => demand.map(({ used }) => used[window] ?? 0)));
}

/** Which short window is the longest: the scarcest over time. -1 = there is none. */
export function longestSlots({ slots }: Pick<BudgetState, 'slots'>): number {
  return slots.findIndex(({ ms }) => ms === Math.max(...slots.map((one) => one.ms)));
}

/** The account's hours, as they are now. */
export function offPeakNow(state: BudgetState, now: number): OffPeakReply | null {
  return state.offPeak ? { lanes: state.offPeak.lanes, ...offPeakAt(state.offPeak, now) } : null;
}

/** Until a lane may send, milliseconds; 0 = it may. */
export function shutMs(offPeak: OffPeakReply | null, lane: string): number {
  return offPeak && !offPeak.open && offPeak.lanes.some((one) => one === lane) ? offPeak.changeMs : 0;
}

export function isHeld(state: Pick<BudgetState, 'held'>, sync: string, lane: string): boolean {
  return state.held.some((one) => one === 'all' || one === `lane:${lane}` || one === `sync:${sync}`);
}
