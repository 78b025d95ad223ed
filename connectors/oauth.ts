import { z } from 'zod';
import type { VendorRequest, VendorResponse } from './connector';
import { VendorError, type VendorErrorCode, type VendorErrorFacts } from './errors';
import { maskText } from './mask';
import { retryAfterOf } from './retry-after';

/** Printable characters, so that it can stand in a header. Salesforce's have a `!`, which RFC 6750 does not know. */
const answer = z.object({ access_token: z.string().regex(/^[\x21-\x7e]{1,4096}$/) });
/** RFC 6749, 5.2. */
const refusal = z.object({ error: z.string().regex(/^[a-z_]{1,60}$/), error_description: z.string().optional().catch(undefined) });

const passing = new Set(['server_error', 'temporarily_unavailable', 'internal_failure']);

/** A request for an access token, RFC 6749: fields in the body as a form, where no log of addresses has them. */
export function tokenRequest(path: string, fields: Readonly<Record<string, string>>): VendorRequest {
  return { method: 'POST', path, text: { content: new URLSearchParams(fields).toString(), type: 'application/x-www-form-urlencoded' } };
}

/** The access token of an answer; null = it holds none. */
export function sessionIn({ data }: VendorResponse): { token: string } | null {
  const read = answer.safeParse(data);
  return read.success ? { token: read.data.access_token } : null;
}

/**
 * The error of a token endpoint; undefined when it is not one that speaks. Only its own word or a 5xx makes it passing: else
 * somebody has to act, and the message says what to do.
 *
 * @param who - the vendor as people call it
 * @param remedies - by the endpoint's code, what to do
 */
export function tokenErrorIn(response: VendorResponse, who: string, remedies: Readonly<Record<string, string>>): VendorError | undefined {
  const { status, headers, data } = response;
  const read = refusal.safeParse(data);
  if (!read.success) return undefined;
  const { error, error_description: description } = read.data;
  const words = [maskText(description ?? '').replace(/\.$/, ''), Object.hasOwn(remedies, error) ? remedies[error] : ''].filter((part) => part !== '');
  const facts: VendorErrorFacts = {
    code: codeOf(status, error),
    status,
    vendorCode: error,
    message: `${who} gave no access token, ${status}: ${words.join('; ') || 'no reason given'} (${error})`,
    vendorSaid: data,
  };
  const retryAfterMs = retryAfterOf(headers);
  if (retryAfterMs !== undefined) facts.retryAfterMs = retryAfterMs;
  return new VendorError(facts);
}

/** A limit on logins is none that we keep, so it is not named. */
function codeOf(status: number, error: string): VendorErrorCode {
  if (status === 429 || error === 'rate_limit_exceeded') return 'RATE_LIMITED';
  return status >= 500 || passing.has(error) ? 'UNAVAILABLE' : 'AUTH';
}
