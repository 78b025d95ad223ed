import type { ClaimRequest, Confirmation, OutcomeRow } from '../../ledger/port';
import type { AttemptEnd, RecordOutcome } from '../../schemas/outcome';
import { outcomeRow } from '../record-outcome';
import type { Item } from './item';

/** A record whose claim is ours: what will be sent of it. */
export interface Claimed {
  item: Item;
  input: unknown;
  claim: number;
  fields: string[];
}

/** An attempt with its number in the record's life. */
export function numbered(item: Item, attempt: Omit<AttemptEnd, 'number'>): AttemptEnd {
  return { number: item.attempts.length + 1, ...attempt };
}

/** The ledger's line of its outcome. */
export function rowOf(item: Item, outcome: RecordOutcome): OutcomeRow {
  return outcomeRow(item.plan, item.event, item.record.keyHmac, outcome, item.run);
}

/** What the fence needs to know of it. */
export function claimRequest(item: Item): ClaimRequest {
  return {
    syncId: item.plan.syncId,
    vendor: item.plan.vendor,
    account: item.plan.account,
    object: item.plan.object,
    keyHmac: item.record.keyHmac,
    version: item.record.version,
    mapVersion: item.plan.mapVersion,
    fields: item.record.fields,
    workflowId: item.run.workflowId,
    ...(item.resendEqual ? { resendEqual: true } : {}),
  };
}

/** Gives a claim back that was not used. */
export function unsent({ item, claim, fields }: Claimed): Confirmation {
  return { ...claimRequest(item), claim, fields, landed: false };
}
