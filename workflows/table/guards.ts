import type { Approval, PlanCounts, TablePlan, TrippedGuard } from '../../schemas/table';

/** Why a run must not go on without somebody's word. Numbers only: they are shown in lists. */
export function trippedGuards(plan: TablePlan, counts: PlanCounts, full: boolean): TrippedGuard[] {
  const { guards } = plan;
  const tripped: TrippedGuard[] = [];
  const bad = counts.badKeys.null + counts.badKeys.duplicate + counts.badKeys.long;
  const planned = counts.added + counts.changed + counts.resent;
  // A member who changes leaves and comes again: should the second come to nothing, they are gone.
  const gone = counts.removed + (plan.membership ? counts.changed : 0);
  if (plan.onRemove !== 'ignore' && gone > guards.removedRows && gone > guards.removedPart * counts.known) {
    tripped.push({
      guard: 'mass-delete',
      rows: gone,
      why: `${gone} of ${counts.known} known rows are gone from the source${plan.membership ? ' or have changed' : ''} (${plan.onRemove})`,
    });
  }
  if (full && planned > guards.fullRows) tripped.push({ guard: 'full-resync', rows: planned, why: `a full resync sends ${planned} rows` });
  if (counts.known === 0 && counts.added > guards.firstRows)
    tripped.push({ guard: 'first-run', rows: counts.added, why: `the first run sends ${counts.added} rows` });
  if (bad > guards.badKeysPart * counts.read) {
    tripped.push({
      guard: 'bad-keys',
      rows: bad,
      why: `${bad} of ${counts.read} rows have no usable key (null ${counts.badKeys.null}, duplicate ${counts.badKeys.duplicate}, too long ${counts.badKeys.long}); they are not sent`,
    });
  }
  return tripped;
}

/** An approval holds for what was approved, and a tenth more: rows go on changing while somebody thinks. */
export function unapproved(tripped: readonly TrippedGuard[], approvals: readonly Approval[]): TrippedGuard[] {
  return tripped.filter(
    ({ guard, rows }) =>
      !approvals.some((approval) => approval.decision === 'approve' && approval.guards.some((known) => known.guard === guard && rows <= known.rows * 1.1)),
  );
}
