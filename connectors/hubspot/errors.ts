import type { VendorResponse } from '../connector';
import { VendorError, type VendorErrorCode, type VendorErrorFacts } from '../errors';
import { maskText, type MaskOptions } from '../mask';
import { retryAfterOf } from '../retry-after';
import { burst, burstMs, daily } from './limits';

/** HubSpot's error body, and one entry of `errors` in a 207. Every field is optional in practice. */
export interface HubspotError {
  status?: string;
  message?: string;
  category?: string;
  subCategory?: string;
  errorType?: string;
  policyName?: string;
  correlationId?: string;
  context?: { objectWriteTraceId?: string[]; ids?: string[]; [name: string]: unknown };
}

/** One property HubSpot refused: `{"isValid":false,"error":"PROPERTY_DOESNT_EXIST","name":"…"}`. */
interface Refusal {
  error?: string;
  name?: string;
}

/** What went wrong with a record or a call, in our words. */
export interface Explained {
  code: string;
  cause: string;
}

// Our words for codes seen in recorded answers: HubSpot's own sentence often holds the value ("x@ is invalid").
const words: Readonly<Record<string, string>> = {
  PROPERTY_DOESNT_EXIST: 'does not exist in this account',
  READ_ONLY_VALUE: 'is read-only',
  INVALID_EMAIL: 'is not an e-mail address HubSpot accepts',
  INVALID_OPTION: 'has a value that is not one of its options',
  INVALID_DATE: 'has a value that is not a date',
  INVALID_INTEGER: 'has a value that is not a whole number',
  INVALID_FLOAT: 'has a value that is not a number',
  INVALID_BOOLEAN: 'has a value that is neither true nor false',
};

/** Reads a body defensively: anything that is not an object is an empty error. */
export function bodyOf(data: unknown): HubspotError {
  return typeof data === 'object' && data !== null && !Array.isArray(data) ? data : {};
}

/** Code and cause of an error, personal data out. The code is the property's (`PROPERTY_DOESNT_EXIST`) where there is one. */
export function explain(error: HubspotError, mask: MaskOptions = {}): Explained {
  const refusals = refusalsIn(error.message);
  const first = refusals.find((refusal) => refusal.error !== undefined);
  if (first?.error) {
    const said = refusals.map(({ name, error: code }) => {
      const field = name !== undefined && /^\w{1,100}$/.test(name) ? `property ${name}` : 'a property';
      return `${field} ${words[code ?? ''] ?? `was refused (${maskText(code ?? 'no code')})`}`;
    });
    return { code: safeCode(first.error), cause: [...new Set(said)].join('; ').slice(0, 300) };
  }
  const code = safeCode(error.subCategory ?? error.category ?? error.errorType ?? 'UNKNOWN');
  return { code, cause: typeof error.message === 'string' ? maskText(error.message, mask) : 'HubSpot gave no reason' };
}

/** `Property values were not valid: [{…},{…}]`: the list is JSON inside the message [recorded answers]. */
function refusalsIn(message: string | undefined): Refusal[] {
  const list = /not valid: (\[.*\])/s.exec(message ?? '')?.[1];
  if (list === undefined) return [];
  try {
    const parsed: unknown = JSON.parse(list);
    return Array.isArray(parsed) ? parsed.filter((entry): entry is Refusal => typeof entry === 'object' && entry !== null) : [];
  } catch {
    return [];
  }
}

/** Categories come in any case and with dots (`crm.associations.…`); only their shape is trusted. */
function safeCode(code: unknown): string {
  return typeof code === 'string' && /^[\w.]{1,100}$/.test(code) ? code.split('.').at(-1) || 'UNKNOWN' : 'UNKNOWN';
}

/** Status to taxonomy, as documented at developers.hubspot.com/docs/api-reference/error-handling (read 2026-08). */
function codeOf(status: number, body: HubspotError): VendorErrorCode {
  if (status === 429) return 'RATE_LIMITED';
  if (status === 401) return 'AUTH';
  // Without a category the 403 is not HubSpot's API speaking (a proxy, a firewall): not known to be permanent.
  if (status === 403) return body.category === undefined ? 'UNKNOWN' : 'AUTH';
  if (status === 400 || status === 422) return 'INVALID';
  if (status === 404) return 'NOT_FOUND';
  if (status === 409) return 'CONFLICT';
  if (status === 413 || status === 414) return 'TOO_LARGE';
  if (status === 408 || status === 423 || status === 477 || status >= 500) return 'UNAVAILABLE';
  return 'UNKNOWN';
}

const summaries: Readonly<Record<VendorErrorCode, string>> = {
  RATE_LIMITED: 'is over its rate limit',
  UNAVAILABLE: 'is unavailable',
  UNKNOWN: 'answered in a way we do not know',
  AUTH: 'refused the credentials or their scopes',
  INVALID: 'refused the request',
  NOT_FOUND: 'does not know what was asked for',
  CONFLICT: 'sees a conflict',
  TOO_LARGE: 'found the request too large',
};

/** Any non-2xx answer of HubSpot. */
export function errorFrom(response: VendorResponse): VendorError {
  const body = bodyOf(response.data);
  const code = codeOf(response.status, body);
  const explained = explain(body);
  const limitName = code === 'RATE_LIMITED' ? limitNameIn(body) : undefined;
  const retryAfterMs = waitFor(response, limitName);
  const requestId = body.correlationId ?? response.headers['x-hubspot-correlation-id'];
  const reason = explained.code === 'UNKNOWN' && body.message === undefined ? '' : `: ${explained.cause} (${explained.code})`;
  const facts: VendorErrorFacts = {
    code,
    status: response.status,
    message: `HubSpot ${summaries[code]}, ${response.status}${reason}`,
    vendorSaid: response.data,
  };
  if (explained.code !== 'UNKNOWN') facts.vendorCode = explained.code;
  if (limitName !== undefined) facts.limitName = limitName;
  if (retryAfterMs !== undefined) facts.retryAfterMs = retryAfterMs;
  if (typeof requestId === 'string') facts.requestId = requestId;
  return new VendorError(facts);
}

/** `policyName` where HubSpot sends it; else by the words of the message ("secondly", "daily"). */
function limitNameIn(body: HubspotError): string | undefined {
  if (typeof body.policyName === 'string' && /^\w{1,60}$/.test(body.policyName)) return body.policyName;
  if (/daily/i.test(body.message ?? '')) return daily;
  if (/secondly/i.test(body.message ?? '')) return burst;
  return undefined;
}

/**
 * `Retry-After` wins, though HubSpot documents it for 477 only. Without it: a burst is over when its whole window has passed;
 * the day ends at midnight in a time zone we do not know, so look again in an hour; a locked record wants at least 2 s; a
 * migration (477) may take long.
 */
function waitFor(response: VendorResponse, limitName: string | undefined): number | undefined {
  const asked = retryAfterOf(response.headers);
  if (response.status === 423) return Math.max(2_000, asked ?? 0);
  if (asked !== undefined) return asked;
  if (response.status === 477) return 60_000;
  if (response.status !== 429) return undefined;
  if (limitName === daily) return 3_600_000;
  const interval = Number(response.headers['x-hubspot-ratelimit-interval-milliseconds']);
  return interval > 0 && interval < burstMs ? interval : burstMs;
}
