import { z } from 'zod';
import type { Json } from '../../../schemas/json';
import { defineOperation, type Operation, type RecordResult } from '../../connector';
import { explain, type SalesforceError } from '../errors';
import { apiPath, salesforce } from '../index';
import { checkedTarget, keyOf, maskOf, rowSchema, withoutFields, type SObjectRow, type SObjectTarget } from './rows';

const outcome = z.object({ success: z.boolean(), id: z.string().nullish(), errors: z.array(z.unknown()).nullish() });

/**
 * Creates or updates records of one object by an external id: `PATCH …/composite/sobjects/<object>/<field>`, up to 200 a
 * call (developer.salesforce.com, "sObject Collections: upsert", read 2026-08). Each record is judged by itself: the answer
 * is a 200 with an entry per record, in the order of the request. Sending a record twice sets the same values again.
 *
 * @param target - `name` tells the operation apart; stable
 */
export function upsertSObjects(target: SObjectTarget & { name: string }): Operation<SObjectRow> {
  const { object, externalId } = checkedTarget(target);
  return defineOperation({
    connector: salesforce,
    name: target.name,
    object,
    maxBatch: 200,
    resend: 'safe',
    input: rowSchema(target),
    key: (row) => keyOf(target, row.externalId),
    fields: (row) => Object.keys(row.fields),
    without: withoutFields,
    async send(call, batch) {
      // The id goes as it was written: the key's lower case would change what the org has stored.
      const records = batch.map((row) => ({ attributes: { type: object }, ...row.fields, [externalId]: row.externalId.trim() }));
      const path = `${apiPath}/composite/sobjects/${object}/${externalId}`;
      const { data } = await call.request({ method: 'PATCH', path, body: { allOrNone: false, records } });
      // Entries carry nothing but their place. A list of another length has lost it, and a repeat does no harm.
      const entries: unknown[] = Array.isArray(data) && data.length === batch.length ? data : [];
      return batch.map((row, index) => resultOf(keyOf(target, row.externalId), row, entries[index]));
    },
  });
}

function resultOf(key: string, row: SObjectRow, entry: unknown): RecordResult {
  const read = outcome.safeParse(entry);
  if (!read.success || (read.data.success && !read.data.id)) {
    return { key, status: 'retry', code: 'MISSING_RESULT', cause: 'Salesforce’s answer named this record neither as written nor as refused' };
  }
  if (read.data.success) return { key, status: 'accepted', vendorId: read.data.id! };
  const said = (read.data.errors ?? []).filter((error): error is SalesforceError => typeof error === 'object' && error !== null);
  const explained = said.map((error) => explain(error, maskOf(row)));
  // Refused without a reason: not known to be permanent.
  const { code, cause, passing } = explained.find((one) => !one.passing) ?? explained[0] ?? { ...explain({}), passing: true };
  return { key, status: passing ? 'retry' : 'rejected', code, cause, vendorSaid: entry as Json };
}
