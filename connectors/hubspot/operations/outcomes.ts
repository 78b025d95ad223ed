import type { Json } from '../../../schemas/json';
import type { RecordResult } from '../../connector';
import type { VendorError } from '../../errors';
import { bodyOf, explain, type HubspotError } from '../errors';

/** One input of a batch, as it was sent. */
export interface SentContact {
  key: string;
  traceId: string;
  properties: Readonly<Record<string, string>>;
}

/** One entry of `results`. They come in any order, e-mail addresses in lower case. */
interface HubspotResult {
  id?: unknown;
  objectWriteTraceId?: unknown;
  properties?: { email?: unknown };
}

// Categories of a single record's error after which that record may go through unchanged.
const passing = /RATE_LIMIT|TIMEOUT|INTERNAL|LOCK|UNAVAILABLE|MIGRATION/;

/**
 * One result per contact sent, out of a 200 or 207 of a batch endpoint. A contact HubSpot names neither as a result nor as
 * an error has not succeeded: HubSpot is known to answer 2xx with both lists empty.
 */
export function resultsOf(data: unknown, sent: readonly SentContact[]): RecordResult[] {
  const { results, errors } = (typeof data === 'object' && data !== null ? data : {}) as { results?: unknown; errors?: unknown };
  const find = finder(sent);
  const byKey = new Map<string, RecordResult>();

  for (const result of list<HubspotResult>(results)) {
    const contact = find.traceId(result.objectWriteTraceId) ?? find.email(result.properties?.email) ?? find.email(result.id);
    if (!contact) continue;
    const vendorId = typeof result.id === 'string' || typeof result.id === 'number' ? { vendorId: String(result.id) } : {};
    byKey.set(contact.key, { key: contact.key, status: 'accepted', ...vendorId });
  }

  let unnamed: HubspotError | undefined;
  for (const error of list<HubspotError>(errors)) {
    const named = namedBy(error, find);
    if (named.length === 0) unnamed ??= error;
    // An error outweighs a result of the same record: what both mean is not documented, and a repeat is safe.
    for (const contact of named) byKey.set(contact.key, refused(contact, error));
  }

  return sent.map(
    (contact) =>
      byKey.get(contact.key) ??
      (unnamed
        ? refused(contact, unnamed)
        : {
            key: contact.key,
            status: 'retry',
            code: 'MISSING_RESULT',
            cause: 'HubSpot’s answer named this record neither as written nor as refused',
          }),
  );
}

/**
 * A 400 for the whole batch that names the records at fault: those are refused, the others were not written and may go again.
 * Empty when it names none or all: the caller bisects. So it does for `Duplicate IDs found in batch input`: our keys differ,
 * hence two addresses of one contact (`hs_additional_emails`) met in one call, and each alone is fine.
 */
export function refusalsOf(error: VendorError, sent: readonly SentContact[]): RecordResult[] {
  const body = bodyOf(error.vendorSaid);
  if (/duplicate/i.test(body.message ?? '')) return [];
  const named = new Set(namedBy(body, finder(sent)));
  if (named.size === 0 || named.size === sent.length) return [];
  return sent.map((contact) =>
    named.has(contact)
      ? refused(contact, body)
      : { key: contact.key, status: 'retry', code: 'BATCH_REFUSED', cause: 'HubSpot refused the whole batch because of another record' },
  );
}

function refused(contact: SentContact, error: HubspotError): RecordResult {
  const mask = { fields: Object.keys(contact.properties), values: [contact.key, ...Object.values(contact.properties)] };
  const { code, cause } = explain(error, mask);
  const again = passing.test(error.category ?? '') || passing.test(code);
  return { key: contact.key, status: again ? 'retry' : 'rejected', code, cause, vendorSaid: error as unknown as Json };
}

interface Find {
  traceId: (name: unknown) => SentContact | undefined;
  /** In any case. HubSpot's `id`s are e-mail addresses or its own numbers, which must not be taken for trace ids. */
  email: (name: unknown) => SentContact | undefined;
}

function finder(sent: readonly SentContact[]): Find {
  const byTrace = new Map(sent.map((contact) => [contact.traceId, contact]));
  const byEmail = new Map(sent.map((contact) => [contact.key, contact]));
  return {
    traceId: (name) => (typeof name === 'string' ? byTrace.get(name) : undefined),
    email: (name) => (typeof name === 'string' ? byEmail.get(name.trim().toLowerCase()) : undefined),
  };
}

function namedBy(error: HubspotError, find: Find): SentContact[] {
  const context = typeof error.context === 'object' && error.context !== null ? error.context : {};
  const traced = list<unknown>(context.objectWriteTraceId).map(find.traceId);
  const found = traced.some((contact) => contact !== undefined) ? traced : list<unknown>(context.ids).map(find.email);
  return found.filter((contact): contact is SentContact => contact !== undefined);
}

function list<T>(value: unknown): T[] {
  return Array.isArray(value) ? value.filter((entry): entry is T => entry !== null && entry !== undefined) : [];
}
