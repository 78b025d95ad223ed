import { proxyActivities } from '@temporalio/workflow';
import type { upsertContact } from './bare-activity';
import type { Customer } from './event';

const activities = proxyActivities<{ upsertContact: ReturnType<typeof upsertContact> }>({ startToCloseTimeout: '30s' });

/** What people write first: one workflow, one activity, one call. */
export async function bareSync(customer: Customer): Promise<string> {
  return activities.upsertContact(customer);
}
