import { z } from 'zod';
import type { Json } from '../../../schemas/json';
import { VendorError } from '../../errors';

/** What a write of Salesforce records is about. */
export interface SObjectTarget {
  /** API name, e.g. `Contact`, `Subscription__c`. */
  object: string;
  /** API name of the external id field that tells records apart. It must be marked as external id, and unique, in the org. */
  externalId: string;
  /** Whether the field is set to "ABC" and "abc" being different values. @default false, as Salesforce does */
  caseSensitive?: boolean;
}

const apiName = /^[A-Za-z]\w{0,79}$/;

const value = z.union([z.string(), z.number(), z.boolean(), z.null()]);
/** What a field may be set to; null and an empty text clear it. */
export type FieldValue = z.output<typeof value>;

/** A record to write. */
export interface SObjectRow {
  externalId: string;
  fields: Record<string, FieldValue>;
}

/** Throws on names that no org can have: they become part of a path. */
export function checkedTarget(target: SObjectTarget): SObjectTarget {
  for (const name of [target.object, target.externalId]) {
    if (!apiName.test(name)) throw new Error(`"${name}" is not the API name of a Salesforce object or field`);
  }
  return target;
}

/** Rows of `target`, as a mapping makes them. */
export function rowSchema({ externalId }: SObjectTarget): z.ZodType<SObjectRow> {
  const reserved = new Set(['id', 'attributes', externalId.toLowerCase()]);
  const field = z.string().regex(apiName, 'must be the API name of a field of the object itself');
  return z.object({
    externalId: z
      .string()
      .max(255)
      .refine((text) => text.trim() !== '', 'must not be empty')
      .describe(`Upsert key: value of ${externalId}`),
    fields: z
      .record(field, value)
      .refine((fields) => !Object.keys(fields).some((name) => reserved.has(name.toLowerCase())), {
        message: `must not name Id, attributes or ${externalId}: the record is told by its external id alone`,
      })
      .describe('API name of a field to its value; null clears the field, a field left out keeps its value'),
  });
}

/** The record's identity in its normal form. */
export function keyOf({ caseSensitive }: SObjectTarget, externalId: string): string {
  const trimmed = externalId.trim();
  return caseSensitive ? trimmed : trimmed.toLowerCase();
}

/** Field names and values that were sent: what a vendor's sentence may repeat. */
export function maskOf(row: SObjectRow): { fields: string[]; values: string[] } {
  return { fields: Object.keys(row.fields), values: [row.externalId.trim(), ...Object.values(row.fields).map(String)] };
}

/** The row without `left`; null when nothing is left to write. */
export function withoutFields(row: SObjectRow, left: readonly string[]): SObjectRow | null {
  const rest = Object.entries(row.fields).filter(([name]) => !left.includes(name));
  return rest.length === 0 ? null : { ...row, fields: Object.fromEntries(rest) };
}

/** Salesforce's answer was a 2xx, but not what is documented. */
export function unreadableAnswer(what: string, data: unknown): VendorError {
  const vendorSaid = (typeof data === 'string' ? data.slice(0, 1000) : (data ?? null)) as Json;
  return new VendorError({ code: 'UNKNOWN', status: 200, message: `Salesforce answered ${what} in a form we do not know`, vendorSaid });
}
