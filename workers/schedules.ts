import { type Client, ScheduleAlreadyRunning, type ScheduleOptions, type ScheduleSpec, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Logger } from 'pino';
import { compileTablePlan, type TableSync } from '../syncs/define-table-sync';
import { mainTaskQueue, tableScheduleId, tableTickWorkflowId } from '../workflows/ids';

/** A tick that comes while Temporal is away is made up for within this; older ones are left out: one diff covers them all. */
const catchupWindow = '10m';

/** Brings the schedules of declared table syncs to what is declared. A pause by an operator stays. */
export async function ensureSchedules(client: Pick<Client, 'schedule'>, tableSyncs: readonly TableSync[], log: Logger): Promise<void> {
  for (const sync of tableSyncs) {
    if (!sync.schedule) continue;
    const options = scheduleOf(sync);
    try {
      await client.schedule.create(options);
      log.info({ sync: sync.id, schedule: options.scheduleId }, 'a schedule was made');
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      const { spec, action, policies } = options;
      await client.schedule.getHandle(options.scheduleId).update(({ state }) => ({ spec, action: action, policies: policies ?? {}, state }));
    }
  }
}

function scheduleOf(sync: TableSync): ScheduleOptions & { spec: ScheduleSpec } {
  const plan = compileTablePlan(sync);
  const { every, cron, timeZone } = sync.schedule!;
  return {
    scheduleId: tableScheduleId(sync.id),
    spec: { timezone: timeZone, ...(cron === undefined ? { intervals: [{ every: every! }] } : { cronExpressions: [cron] }) },
    // The tick is over in a moment; which run meets which is the sync's own `overlap`.
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow },
    action: { type: 'startWorkflow', workflowType: 'tableTick', args: [{ plan }], taskQueue: mainTaskQueue, workflowId: tableTickWorkflowId(sync.id) },
  };
}
