import type { VendorResponse } from '../connector';
import { VendorError, type VendorErrorCode, type VendorErrorFacts } from '../errors';
import { maskText, type MaskOptions } from '../mask';
import { retryAfterOf } from '../retry-after';
import { limitNameOf } from './limits';

/** One entry of `errors` in a JSON:API error body, and the attributes of an import error. Every field is optional in practice. */
export interface KlaviyoError {
  id?: unknown;
  code?: unknown;
  title?: unknown;
  detail?: unknown;
  source?: { pointer?: unknown; parameter?: unknown } | null;
}

/** What went wrong with a record or a call, in plain words. */
export interface Explained {
  code: string;
  cause: string;
}

/** The first of the `errors` in a body; undefined when it is not Klaviyo's API that speaks (a proxy, a firewall). */
export function errorIn(data: unknown): KlaviyoError | undefined {
  const { errors } = (typeof data === 'object' && data !== null ? data : {}) as { errors?: unknown };
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  return typeof first === 'object' && first !== null ? first : undefined;
}

/**
 * Code and cause, personal data out. `title` is the same for every case of a code (JSON:API); `detail` often holds the value
 * at fault, so it is told only by whoever knows the values sent.
 */
export function explain(error: KlaviyoError, sent?: MaskOptions): Explained {
  const parts = [masked(error.title, sent ?? {}), sent ? masked(error.detail, sent) : ''].map((part) => part.replace(/\.$/, ''));
  const where = pointerOf(error);
  const said = [...new Set(parts)].filter((part) => part !== '').join(': ') || 'Klaviyo gave no reason';
  return { code: safeCode(error.code), cause: where === undefined ? said : `${said} (at ${where})` };
}

function masked(text: unknown, options: MaskOptions): string {
  return typeof text === 'string' ? maskText(text, options) : '';
}

/** Where in our request: names and numbers only, nothing that could be a value. */
function pointerOf({ source }: KlaviyoError): string | undefined {
  const where = source?.pointer ?? source?.parameter;
  return typeof where === 'string' && /^[\w/$-]{1,120}$/.test(where) && !/^\/data\/?$/.test(where) ? where : undefined;
}

function safeCode(code: unknown): string {
  return typeof code === 'string' && /^[\w.-]{1,60}$/.test(code) ? code : 'UNKNOWN';
}

/** Status to taxonomy: developers.klaviyo.com/en/docs/rate_limits_and_error_handling, read 2026-11. */
function codeOf(status: number, ours: boolean): VendorErrorCode {
  if (status === 429) return 'RATE_LIMITED';
  if (status === 401) return 'AUTH';
  // Klaviyo stands behind a firewall that answers 403 in HTML now and then (klaviyo/klaviyo-api-python issue 84).
  if (status === 403) return ours ? 'AUTH' : 'UNKNOWN';
  if (status === 404 || status === 410) return 'NOT_FOUND';
  if (status === 409) return 'CONFLICT';
  if (status === 413) return 'TOO_LARGE';
  if (status === 400 || status === 405 || status === 415 || status === 422) return 'INVALID';
  if (status === 408 || status >= 500) return 'UNAVAILABLE';
  return 'UNKNOWN';
}

const summaries: Readonly<Record<VendorErrorCode, string>> = {
  RATE_LIMITED: 'is over its rate limit',
  UNAVAILABLE: 'is unavailable',
  UNKNOWN: 'answered in a way we do not know',
  AUTH: 'refused the key or its scopes',
  INVALID: 'refused the request',
  NOT_FOUND: 'does not know what was asked for',
  CONFLICT: 'has another profile with one of these identifiers',
  TOO_LARGE: 'found the request too large',
};

/** Any non-2xx answer of Klaviyo. */
export function errorFrom(response: VendorResponse): VendorError {
  const error = errorIn(response.data);
  const code = codeOf(response.status, error !== undefined);
  const explained = error ? explain(error) : undefined;
  const facts: VendorErrorFacts = {
    code,
    status: response.status,
    message: `Klaviyo ${summaries[code]}, ${response.status}${explained ? `: ${explained.cause} (${explained.code})` : ''}`,
    vendorSaid: response.data,
  };
  if (explained && explained.code !== 'UNKNOWN') facts.vendorCode = explained.code;
  if (typeof error?.id === 'string' && /^[\w-]{1,60}$/.test(error.id)) facts.requestId = error.id;
  const retryAfterMs = retryAfterOf(response.headers) ?? (code === 'RATE_LIMITED' ? waitInWords(error) : undefined);
  if (retryAfterMs !== undefined) facts.retryAfterMs = retryAfterMs;
  const limitName = code === 'RATE_LIMITED' ? limitNameOf(retryAfterMs) : undefined;
  if (limitName !== undefined) facts.limitName = limitName;
  return new VendorError(facts);
}

/** `Expected available in 1 second.`, as recorded in klaviyo/klaviyo-api-node issue 66 (2024-05); it may say 0. */
function waitInWords(error: KlaviyoError | undefined): number | undefined {
  const seconds = /available in (\d{1,5})(?:\.\d+)? second/.exec(typeof error?.detail === 'string' ? error.detail : '')?.[1];
  return seconds === undefined ? undefined : Math.max(1, Number(seconds)) * 1000;
}
