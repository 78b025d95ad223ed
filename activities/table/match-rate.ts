import type { MatchRate, TablePlan } from '../../schemas/table';
import type { ActivityDeps } from '../deps';

/** A run's match rate below this part of the one before is told: identifiers that changed their form match nobody, and no vendor says so. */
const dropAt = 0.8;

/** An audience that matches far fewer people than before: a log line, and a message to those who get alerts. */
export function tellOfDrop({ log, notify, now }: Pick<ActivityDeps, 'log' | 'notify' | 'now'>, plan: TablePlan, { least, most, before }: MatchRate): void {
  if (before === null || before === 0 || most >= before * dropAt) return;
  const percent = (part: number): string => `${Math.round(part * 100)} %`;
  const text = `${plan.syncId}: ${plan.vendor} knows ${percent(most)} of the members handed over, ${percent(before)} the time before`;
  log.warn({ sync: plan.syncId, vendor: plan.vendor, least, most, before }, 'a match rate has dropped');
  notify({ kind: 'match-rate', id: `match-rate/${plan.syncId}/${now()}`, text });
}
