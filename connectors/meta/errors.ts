import { z } from 'zod';
import type { VendorResponse } from '../connector';
import { VendorError, type VendorErrorCode, type VendorErrorFacts } from '../errors';
import { maskText } from '../mask';
import { retryAfterOf } from '../retry-after';
import { meaningOf, type Meaning } from './codes';
import { hourly, regainMs } from './limits';

/** `{"error":{"message","type","code","error_subcode","is_transient","error_user_title","error_user_msg","fbtrace_id"}}` */
const graphError = z.object({
  message: z.string().optional().catch(undefined),
  code: z.int(),
  error_subcode: z.int().optional().catch(undefined),
  is_transient: z.boolean().optional().catch(undefined),
  error_user_title: z.string().optional().catch(undefined),
  error_user_msg: z.string().optional().catch(undefined),
  fbtrace_id: z.string().optional().catch(undefined),
});
type GraphError = z.output<typeof graphError>;
const body = z.object({ error: graphError });

// Statuses that say more than the code beside them. Meta hides most of what matters behind 400.
const byStatus: Readonly<Record<number, VendorErrorCode>> = {
  401: 'AUTH',
  404: 'NOT_FOUND',
  408: 'UNAVAILABLE',
  409: 'CONFLICT',
  413: 'TOO_LARGE',
  422: 'INVALID',
  429: 'RATE_LIMITED',
};

const summaries: Readonly<Record<VendorErrorCode, string>> = {
  RATE_LIMITED: 'is over a limit',
  UNAVAILABLE: 'is unavailable',
  UNKNOWN: 'answered in a way we do not know',
  AUTH: 'refused the access token or its rights',
  INVALID: 'refused the request',
  NOT_FOUND: 'does not know what was asked for',
  CONFLICT: 'sees a conflict',
  TOO_LARGE: 'found the request too large',
};

/** A throttled or passing failure is one whatever the status; then the status counts, and behind 400 and 403 the code. */
function meaningIn(status: number, said: GraphError | undefined): Meaning {
  const meaning = said && meaningOf(said.code, said.error_subcode);
  if (meaning?.name !== undefined || meaning?.code === 'RATE_LIMITED' || meaning?.code === 'UNAVAILABLE') return meaning;
  if (said?.is_transient) return { code: 'UNAVAILABLE' };
  const plain = byStatus[status] ?? (status >= 500 ? 'UNAVAILABLE' : undefined);
  if (plain) return { code: plain };
  // Without Meta's own words it is somebody else who speaks (a proxy, a page in HTML): not known to be permanent.
  return meaning && (status === 400 || status === 403) ? meaning : { code: 'UNKNOWN' };
}

/** Any non-2xx answer of the Graph API. */
export function errorFrom(response: VendorResponse): VendorError {
  const { status, headers, data } = response;
  const read = body.safeParse(data);
  const said = read.success ? read.data.error : undefined;
  const { code, name, cause } = meaningIn(status, said);
  const vendorCode = name ?? (said && codeIn(said));
  const words = cause ?? (said && maskText(said.error_user_msg ?? said.message ?? 'Meta gave no reason'));
  const facts: VendorErrorFacts = {
    code,
    status,
    message: `Meta ${summaries[code]}, ${status}${words === undefined ? '' : `: ${words} (${vendorCode})`}`,
    vendorSaid: data,
  };
  if (vendorCode !== undefined) facts.vendorCode = vendorCode;
  if (said?.fbtrace_id !== undefined && /^[\w-]{1,60}$/.test(said.fbtrace_id)) facts.requestId = said.fbtrace_id;
  const retryAfterMs = retryAfterOf(headers) ?? (code === 'RATE_LIMITED' ? regainMs(headers) : undefined);
  if (retryAfterMs !== undefined) facts.retryAfterMs = retryAfterMs;
  // The others are limits of the app, of the user and of all calls together: none that we keep.
  if (code === 'RATE_LIMITED' && said?.code === 80003) facts.limitName = hourly;
  return new VendorError(facts);
}

/** As Meta prints them: `100`, and `100_1713098` with its subcode. */
function codeIn({ code, error_subcode: subcode }: GraphError): string {
  return subcode === undefined ? String(code) : `${code}_${subcode}`;
}
