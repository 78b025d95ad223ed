import { z } from 'zod';
import type { VendorResponse } from '../connector';
import { VendorError, type VendorErrorCode, type VendorErrorFacts } from '../errors';
import { maskText } from '../mask';
import { retryAfterOf } from '../retry-after';
import { limitOf, meaningOf } from './codes';
import { burst, concurrent, daily } from './limits';

const reason = z.object({ code: z.union([z.string(), z.number()]).transform(String), message: z.string().optional() });
/** Why a request failed, or a record was skipped. */
export type Reason = z.output<typeof reason>;

const failed = z.object({ requestId: z.string().optional(), success: z.literal(false), errors: z.array(z.unknown()).optional() });

/** The readable ones of `errors` or `reasons`. */
export function reasonsIn(list: unknown): Reason[] {
  return (Array.isArray(list) ? list : []).flatMap((entry) => {
    const read = reason.safeParse(entry);
    return read.success ? [read.data] : [];
  });
}

const byStatus: Readonly<Record<number, VendorErrorCode>> = {
  400: 'INVALID',
  401: 'AUTH',
  404: 'NOT_FOUND',
  408: 'UNAVAILABLE',
  409: 'CONFLICT',
  413: 'TOO_LARGE',
  414: 'TOO_LARGE',
  422: 'INVALID',
  429: 'RATE_LIMITED',
};

const summaries: Readonly<Record<VendorErrorCode, string>> = {
  RATE_LIMITED: 'is over a limit',
  UNAVAILABLE: 'is unavailable',
  UNKNOWN: 'answered in a way we do not know',
  AUTH: 'refused the credentials or their rights',
  INVALID: 'refused the request',
  NOT_FOUND: 'does not know what was asked for',
  CONFLICT: 'sees a conflict',
  TOO_LARGE: 'found the request too large',
};

// Marketo names no wait. A burst is over when its window has passed. The quota comes back at midnight US Central, of which it
// is not said whether it knows summer time: look again in an hour.
const waits: Readonly<Record<string, number>> = { [burst]: 20_000, [concurrent]: 2_000, [daily]: 3_600_000 };

/** A whole request that failed inside a 200: `{"success":false,"errors":[{"code":"606","message":"…"}]}`. */
export function failureIn(response: VendorResponse): VendorError | null {
  const read = failed.safeParse(response.data);
  if (!read.success) return null;
  const [first] = reasonsIn(read.data.errors);
  return errorOf(response, first ? meaningOf(first.code) : 'UNKNOWN', first);
}

/** A non-2xx answer: the identity endpoint, a body over 1 MB, or a gateway. Marketo itself hides its errors inside a 200. */
export function errorFrom(response: VendorResponse): VendorError {
  const { status, data } = response;
  const [first] = reasonsIn((data as { errors?: unknown } | null | undefined)?.errors);
  // A 403 without a code is not Marketo's API speaking (a proxy, a firewall): not known to be permanent.
  const code = byStatus[status] ?? (status >= 500 ? 'UNAVAILABLE' : status === 403 && first ? 'AUTH' : 'UNKNOWN');
  return errorOf(response, code, first);
}

function errorOf(response: VendorResponse, code: VendorErrorCode, said: Reason | undefined): VendorError {
  const requestId = (response.data as { requestId?: unknown } | null | undefined)?.requestId;
  const limitName = code === 'RATE_LIMITED' ? (limitOf[said?.code ?? ''] ?? burst) : undefined;
  const retryAfterMs = retryAfterOf(response.headers) ?? (limitName === undefined ? undefined : waits[limitName]);
  const words = said ? `: ${maskText(said.message ?? 'no reason given')} (${maskText(said.code)})` : '';
  const facts: VendorErrorFacts = {
    code,
    status: response.status,
    message: `Marketo ${summaries[code]}, ${response.status}${words}`,
    vendorSaid: response.data,
  };
  if (said && /^\w{1,60}$/.test(said.code)) facts.vendorCode = said.code;
  if (limitName !== undefined) facts.limitName = limitName;
  if (retryAfterMs !== undefined) facts.retryAfterMs = retryAfterMs;
  if (typeof requestId === 'string' && /^[\w#-]{1,60}$/.test(requestId)) facts.requestId = requestId;
  return new VendorError(facts);
}
