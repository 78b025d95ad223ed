import type { VendorResponse } from '../connector';
import { VendorError, type VendorErrorCode, type VendorErrorFacts } from '../errors';
import { maskText, type MaskOptions } from '../mask';
import { tokenErrorIn } from '../oauth';
import { retryAfterOf } from '../retry-after';
import { concurrent, daily } from './limits';

/** One entry of an error answer (`errorCode`), or of a record's `errors` in a collection (`statusCode`). */
export interface SalesforceError {
  errorCode?: unknown;
  statusCode?: unknown;
  message?: unknown;
  fields?: unknown;
}

/** What went wrong, in plain words. */
export interface Explained {
  code: string;
  cause: string;
  /** The same request may go through unchanged. */
  passing: boolean;
}

const passing = new Set([
  'UNABLE_TO_LOCK_ROW',
  'SERVER_UNAVAILABLE',
  'REQUEST_LIMIT_EXCEEDED',
  'REQUEST_RUNNING_TOO_LONG',
  'QUERY_TIMEOUT',
  'UNKNOWN_EXCEPTION',
  // Said of records that were fine themselves, when others made Salesforce undo or stop.
  'ALL_OR_NONE_OPERATION_ROLLED_BACK',
  'PROCESSING_HALTED',
]);
// Triggers of the org that met each other in one batch; the code is CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY for whatever a
// trigger fails at, so only these words tell.
const passingWords = /UNABLE_TO_LOCK_ROW|unable to obtain exclusive access|too many SOQL queries/i;

/** Entries of an error answer: a JSON array, even of one. */
export function errorsIn(data: unknown): SalesforceError[] {
  return Array.isArray(data) ? data.filter((entry): entry is SalesforceError => typeof entry === 'object' && entry !== null && !Array.isArray(entry)) : [];
}

/** Code and cause of one error, personal data out. */
export function explain(error: SalesforceError, mask: MaskOptions = {}): Explained {
  const said = error.errorCode ?? error.statusCode;
  const code = typeof said === 'string' && /^[A-Za-z]\w{0,99}$/.test(said) ? said : 'UNKNOWN';
  const message = typeof error.message === 'string' ? error.message : '';
  const fields = Array.isArray(error.fields) ? error.fields.filter((name): name is string => typeof name === 'string' && /^\w{1,80}$/.test(name)) : [];
  const cause = message === '' ? 'Salesforce gave no reason' : maskText(message, { ...mask, fields: [...(mask.fields ?? []), ...fields] });
  return { code, cause, passing: passing.has(code) || passingWords.test(message) };
}

/** Status and code to taxonomy. Sources and dates: README.md beside this file. */
function codeOf(status: number, said: Explained | undefined): VendorErrorCode {
  if (said?.code === 'REQUEST_LIMIT_EXCEEDED' || status === 420 || status === 429) return 'RATE_LIMITED';
  if (status === 401) return 'AUTH';
  // Without a code the 403 is not Salesforce's API speaking (a proxy, a firewall): not known to be permanent.
  if (status === 403) return said && said.code !== 'UNKNOWN' ? 'AUTH' : 'UNKNOWN';
  if (status >= 500 || status === 408 || (status >= 400 && said?.passing)) return 'UNAVAILABLE';
  if (status === 400 || status === 422) return 'INVALID';
  if (status === 404) return 'NOT_FOUND';
  if (status === 409) return 'CONFLICT';
  if (status === 413 || status === 414 || status === 431) return 'TOO_LARGE';
  return 'UNKNOWN';
}

const summaries: Readonly<Record<VendorErrorCode, string>> = {
  RATE_LIMITED: 'is over its request limit',
  UNAVAILABLE: 'is unavailable',
  UNKNOWN: 'answered in a way we do not know',
  AUTH: 'refused the session or its rights',
  INVALID: 'refused the request',
  NOT_FOUND: 'does not know what was asked for',
  CONFLICT: 'sees a conflict',
  TOO_LARGE: 'found the request too large',
};

// Salesforce words several mistakes as `invalid_grant`; its description, which stands before, tells which.
const loginRemedies: Readonly<Record<string, string>> = {
  invalid_grant:
    'enable the client credentials flow of the app, name the user it runs as, and let the account’s base URL be the org’s own (https://<domain>.my.salesforce.com)',
  invalid_client_id: 'compare the client id with the consumer key of the app',
  invalid_client: 'compare client id and client secret with consumer key and secret of the app',
};

/** Any non-2xx answer of Salesforce: its APIs say an array, its token endpoint an object. */
export function errorFrom(response: VendorResponse): VendorError {
  return tokenErrorIn(response, 'Salesforce', loginRemedies) ?? apiErrorFrom(response);
}

function apiErrorFrom(response: VendorResponse): VendorError {
  const [first] = errorsIn(response.data);
  const said = first ? explain(first) : undefined;
  const code = codeOf(response.status, said);
  const limitName = code === 'RATE_LIMITED' ? (/concurrent/i.test(said?.cause ?? '') ? concurrent : daily) : undefined;
  const retryAfterMs = retryAfterOf(response.headers) ?? (limitName === undefined ? undefined : waits[limitName]);
  const facts: VendorErrorFacts = {
    code,
    status: response.status,
    message: `Salesforce ${summaries[code]}, ${response.status}${said ? `: ${said.cause} (${said.code})` : ''}`,
    vendorSaid: response.data,
  };
  if (said && said.code !== 'UNKNOWN') facts.vendorCode = said.code;
  if (limitName !== undefined) facts.limitName = limitName;
  if (retryAfterMs !== undefined) facts.retryAfterMs = retryAfterMs;
  return new VendorError(facts);
}

// Salesforce names no wait. The allocation comes back bit by bit, as the calls of yesterday pass out of the 24 hours; a long
// request ends sooner or later.
const waits: Readonly<Record<string, number>> = { [daily]: 15 * 60_000, [concurrent]: 5_000 };
