import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Decision, TableRunInput, TableRunView } from '../schemas/table';
import type { BudgetCommand, LeaseReply, LeaseRequest } from './budget/protocol';
import type { WaitingWork } from './budget/forecast';
import type { BudgetView } from './budget/view';

/* Messages to running workflows: what workers and the CLI may send. Names are part of the contract with older versions. */

/** A worker renews its lease on a budget. Send it with the update id `<worker>/<seq>`: a repeat changes nothing. */
export const leasePermitsUpdate = defineUpdate<LeaseReply, [LeaseRequest]>('leasePermits');

/** An operator changes a budget; answers with what it looks like then. In force at every worker's next renewal. */
export const changeBudgetUpdate = defineUpdate<BudgetView, [BudgetCommand]>('changeBudget');

/**
 * What a budget looks like. `nowMs`: the asker's clock; a workflow that nothing happens to has none. `waiting`: work in task
 * queues, which the budget does not see: estimates count it.
 */
export const budgetQuery = defineQuery<BudgetView, [{ nowMs: number; waiting?: WaitingWork[] }]>('budget');

/** Somebody's word on a run that waits for approval; refused unless exactly this run waits. */
export const decideRunUpdate = defineUpdate<TableRunView, [Decision & { runId: string }]>('decideRun');

/** One more run follows this one. Several of them are one. */
export const runAgainSignal = defineSignal<[TableRunInput]>('runAgain');

/** What a run of a table sync looks like, also after its end. */
export const tableRunQuery = defineQuery<TableRunView>('tableRun');

export type { BudgetCommand, BudgetView, WaitingWork };
