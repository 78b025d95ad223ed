import type { Outcome } from '../../schemas/outcome';
import type { OutcomeCounts } from '../../schemas/table';

/** From what a person must act on to what is well. */
const order: readonly Outcome[] = ['failed', 'expired', 'rejected', 'invalid', 'cancelled', 'unattributed', 'superseded', 'skipped', 'accepted', 'verified'];

/** The outcome a run of many is listed under; null = nothing was planned. */
export function worstOutcome(outcomes: OutcomeCounts): Outcome | null {
  return order.find((outcome) => (outcomes[outcome] ?? 0) > 0) ?? null;
}
