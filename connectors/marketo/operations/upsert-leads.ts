import { z } from 'zod';
import { emailKey } from '../../email-key';
import type { Json } from '../../../schemas/json';
import { defineOperation, type RecordResult } from '../../connector';
import { maskText } from '../../mask';
import { isPassing } from '../codes';
import { reasonsIn } from '../errors';
import { marketo } from '../index';

const value = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const input = z.object({
  email: z.email().describe('Upsert key; ASCII characters only'),
  fields: z
    .record(z.string().regex(/^[A-Za-z]\w{0,99}$/, 'must be the REST name of a field'), value)
    .refine((fields) => !Object.keys(fields).some((name) => ['id', 'email'].includes(name.toLowerCase())), {
      message: 'must name neither id nor email: the lead is told by its address alone',
    })
    .describe('REST name of a field to its value; null clears the field, a field left out keeps its value'),
});

/** A lead to write. */
export type UpsertLead = z.output<typeof input>;

const answer = z.object({ result: z.array(z.unknown()) });
const outcome = z.object({
  id: z.number().optional(),
  status: z.enum(['created', 'updated', 'skipped']),
  reasons: z.unknown().optional(),
});

/**
 * Creates or updates leads by e-mail address: `POST /rest/v1/leads.json`, up to 300 and 1 MB a call (experienceleague.adobe.com,
 * "Leads", read 2026-08). Each record is judged by itself, in the order of the request. Marketo says that a lead may be created
 * twice when a call comes while an earlier one of the same address is still under way: as after a timeout. Hence `duplicates`.
 */
export const upsertLeads = defineOperation({
  connector: marketo,
  name: 'leads.upsert',
  object: 'lead',
  maxBatch: 300,
  // What goes around the records is within the rest of the 1 MB.
  maxBatchBytes: 999_000,
  resend: 'duplicates',
  input,
  key: ({ email }) => emailKey(email),
  fields: ({ fields }) => Object.keys(fields),
  without: (lead, left) => {
    const rest = Object.entries(lead.fields).filter(([name]) => !left.includes(name));
    return rest.length === 0 ? null : { ...lead, fields: Object.fromEntries(rest) };
  },
  async send(call, batch) {
    const leads = batch.map(({ email, fields }) => ({ ...fields, email: emailKey(email) }));
    const response = await call.post('/rest/v1/leads.json', { action: 'createOrUpdate', lookupField: 'email', input: leads });
    const read = answer.safeParse(response.data);
    // Entries carry nothing but their place: a list of another length has lost it.
    const entries = read.success && read.data.result.length === batch.length ? read.data.result : [];
    return batch.map((lead, index) => resultOf(lead, entries[index]));
  },
});

function resultOf({ email, fields }: UpsertLead, entry: unknown): RecordResult {
  const key = emailKey(email);
  const read = outcome.safeParse(entry);
  if (!read.success || (read.data.status !== 'skipped' && read.data.id === undefined)) {
    return { key, status: 'retry', code: 'MISSING_RESULT', cause: 'Marketo’s answer named this lead neither as written nor as skipped' };
  }
  if (read.data.status !== 'skipped') return { key, status: 'accepted', vendorId: String(read.data.id) };
  const reasons = reasonsIn(read.data.reasons);
  const said = reasons.find(({ code }) => !isPassing(code)) ?? reasons[0];
  // Skipped without a reason: not known to be permanent.
  if (!said) return { key, status: 'retry', code: 'SKIPPED', cause: 'Marketo skipped this lead and gave no reason', vendorSaid: entry as Json };
  const mask = { fields: Object.keys(fields), values: [key, ...Object.values(fields).map(String)] };
  const code = /^\w{1,60}$/.test(said.code) ? said.code : 'SKIPPED';
  return {
    key,
    status: isPassing(said.code) ? 'retry' : 'rejected',
    code,
    cause: maskText(said.message || 'no reason given', mask),
    vendorSaid: entry as Json,
  };
}
