import type { Json } from '../../../schemas/json';
import type { Call, RecordResult } from '../../connector';
import { VendorError } from '../../errors';
import { explain } from '../errors';
import { ask, cursorIn, objectOf, resourcesIn } from '../json-api';
import { emailKey } from '../../email-key';
import { masking, type Profile } from './profile';

const pageSize = 100;

/** Codes after which a row may go through unchanged. */
const passing = /throttl|timeout|internal|unavailable/i;

/**
 * The rows a job refused: `GET …/import-errors`, a request (and permit) per 100. An error is the row's whose e-mail address
 * its `original_payload` holds; `unmatched` counts those that hold none of ours.
 */
export async function failuresOf(call: Call, job: string, rows: readonly Profile[]): Promise<{ results: RecordResult[]; unmatched: number }> {
  const byKey = new Map(rows.map((row) => [emailKey(row.email), row]));
  const results = new Map<string, RecordResult>();
  let unmatched = 0;
  let cursor: string | undefined;
  for (let page = 0; page === 0 || cursor !== undefined; page++) {
    // A row may have several errors, but pages without end are no list.
    if (page > 100 + rows.length / 10) throw unreadable('does not come to an end with them');
    const query = { 'page[size]': String(pageSize), ...(cursor === undefined ? {} : { 'page[cursor]': cursor }) };
    const { data } = await ask(call, { method: 'GET', path: `${job}/import-errors`, query });
    const errors = resourcesIn(data);
    if (!errors) throw unreadable('answered without a list of them');
    for (const { attributes } of errors) {
      const row = byKey.get(emailIn(attributes['original_payload']) ?? '');
      if (!row) unmatched++;
      else if (!results.has(emailKey(row.email))) results.set(emailKey(row.email), resultOf(row, attributes));
    }
    cursor = cursorIn(data);
  }
  return { results: [...results.values()], unmatched };
}

function resultOf(row: Profile, attributes: Readonly<Record<string, unknown>>): RecordResult {
  const explained = explain(attributes, masking(row));
  return { key: emailKey(row.email), status: passing.test(explained.code) ? 'retry' : 'rejected', ...explained, vendorSaid: attributes as Json };
}

/** The specification says only "object": flat, or a resource as it was sent. */
function emailIn(payload: unknown): string | undefined {
  const found = objectOf(payload);
  const email = found?.['email'] ?? objectOf(found?.['attributes'])?.['email'] ?? objectOf(objectOf(found?.['data'])?.['attributes'])?.['email'];
  return typeof email === 'string' ? emailKey(email) : undefined;
}

function unreadable(how: string): VendorError {
  return new VendorError({ code: 'UNKNOWN', status: 200, message: `Klaviyo was asked for the errors of a job and ${how}` });
}
