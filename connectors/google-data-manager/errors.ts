import { z } from 'zod';
import type { VendorResponse } from '../connector';
import { VendorError, type VendorErrorCode, type VendorErrorFacts } from '../errors';
import { maskText } from '../mask';
import { tokenErrorIn } from '../oauth';
import { retryAfterOf } from '../retry-after';
import { day, minute } from './limits';
import { loginRemedies, remedyOf } from './reasons';

/** `google.rpc.Status` as JSON; `details` holds messages of several types, each optional. */
const body = z.object({ error: z.object({ status: z.string(), message: z.string().optional().catch(undefined), details: z.array(z.unknown()).catch([]) }) });
const violation = z.object({ field: z.string().optional().catch(undefined), reason: z.string().optional().catch(undefined) });
const detail = z.object({
  reason: z.string().optional().catch(undefined),
  requestId: z.string().optional().catch(undefined),
  retryDelay: z.string().optional().catch(undefined),
  metadata: z.record(z.string(), z.string()).catch({}),
  fieldViolations: z.array(violation).catch([]),
});

/** What is wrong with one field, as far as it is in Google's form. */
export interface Fault {
  field?: string;
  reason?: string;
}

/** What a body of Google's says, in our terms. */
interface Said {
  status: string;
  message: string;
  reason: string;
  field?: string;
  /** What is said of fields. */
  faults: Fault[];
  requestId?: string;
  retryDelayMs?: number;
  metadata: Readonly<Record<string, string>>;
}

/** developers.google.com/data-manager/api/devguides/concepts/understand-errors, read 2026-11: which may be tried again. */
const byStatusName: Readonly<Record<string, VendorErrorCode>> = {
  INVALID_ARGUMENT: 'INVALID',
  FAILED_PRECONDITION: 'INVALID',
  OUT_OF_RANGE: 'INVALID',
  UNAUTHENTICATED: 'AUTH',
  PERMISSION_DENIED: 'AUTH',
  NOT_FOUND: 'NOT_FOUND',
  ALREADY_EXISTS: 'CONFLICT',
  RESOURCE_EXHAUSTED: 'RATE_LIMITED',
  UNAVAILABLE: 'UNAVAILABLE',
  DEADLINE_EXCEEDED: 'UNAVAILABLE',
  INTERNAL: 'UNAVAILABLE',
  ABORTED: 'UNAVAILABLE',
  UNKNOWN: 'UNAVAILABLE',
};

/** For answers in another form: a proxy, Google's front end. A 403 of theirs is not known to be permanent. */
const byHttpStatus: Readonly<Record<number, VendorErrorCode>> = {
  400: 'INVALID',
  401: 'AUTH',
  404: 'NOT_FOUND',
  408: 'UNAVAILABLE',
  409: 'CONFLICT',
  413: 'TOO_LARGE',
  422: 'INVALID',
  429: 'RATE_LIMITED',
};

const summaries: Readonly<Record<VendorErrorCode, string>> = {
  RATE_LIMITED: 'is over a quota of the Cloud project',
  UNAVAILABLE: 'is unavailable',
  UNKNOWN: 'answered in a way we do not know',
  AUTH: 'refused the access token or its rights',
  INVALID: 'refused the request',
  NOT_FOUND: 'does not know what was asked for',
  CONFLICT: 'sees a conflict',
  TOO_LARGE: 'found the request too large',
};

// Google names no wait. The day is over at a time it does not tell: look again in an hour.
const waits: Readonly<Record<string, number>> = { [minute]: 60_000, [day]: 3_600_000 };

/** Any non-2xx answer of the Data Manager API, or of the token endpoint. */
export function errorFrom(response: VendorResponse): VendorError {
  return tokenErrorIn(response, 'Google', loginRemedies) ?? apiErrorFrom(response);
}

function apiErrorFrom(response: VendorResponse): VendorError {
  const said = saidIn(response.data);
  const code =
    (said && Object.hasOwn(byStatusName, said.status) ? byStatusName[said.status] : undefined) ??
    byHttpStatus[response.status] ??
    (response.status >= 500 ? 'UNAVAILABLE' : 'UNKNOWN');
  const facts: VendorErrorFacts = {
    code,
    status: response.status,
    message: `Google ${summaries[code]}, ${response.status}${said ? wordsOf(said) : ''}`,
    vendorSaid: response.data,
  };
  if (said) facts.vendorCode = said.reason;
  if (said?.requestId !== undefined) facts.requestId = said.requestId;
  const limitName = code === 'RATE_LIMITED' ? limitNameOf(said) : undefined;
  if (limitName !== undefined) facts.limitName = limitName;
  const retryAfterMs = retryAfterOf(response.headers) ?? said?.retryDelayMs ?? (limitName === undefined ? undefined : waits[limitName]);
  if (retryAfterMs !== undefined) facts.retryAfterMs = retryAfterMs;
  return new VendorError(facts);
}

/** Undefined when it is not Google's API that speaks. */
export function saidIn(data: unknown): Said | undefined {
  const read = body.safeParse(data);
  if (!read.success || !/^[A-Z_]{2,40}$/.test(read.data.error.status)) return undefined;
  const { status, message = '', details } = read.data.error;
  const known = details.flatMap((one) => {
    const parsed = detail.safeParse(one);
    return parsed.success ? [parsed.data] : [];
  });
  const violations = known.flatMap(({ fieldViolations }) => fieldViolations);
  const requestId = known.map((one) => one.requestId ?? one.metadata['requestId']).find((id) => id !== undefined && /^[\w.-]{1,80}$/.test(id));
  const retryDelayMs = known.map(({ retryDelay }) => delayIn(retryDelay)).find((ms) => ms !== undefined);
  const faults = violations.map(faultOf);
  const field = faults.find((one) => one.field !== undefined)?.field;
  // `ErrorInfo` mostly repeats the status; what is wrong stands with the field.
  const reasons = [...known, ...faults].map(({ reason }) => reasonOf(reason)).filter((reason) => reason !== undefined);
  return {
    status,
    message,
    reason: reasons.find((reason) => reason !== status) ?? status,
    faults,
    metadata: Object.assign({}, ...known.map(({ metadata }) => metadata)) as Record<string, string>,
    ...(field === undefined ? {} : { field }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(retryDelayMs === undefined ? {} : { retryDelayMs }),
  };
}

function faultOf({ field, reason }: z.output<typeof violation>): Fault {
  const known = reasonOf(reason);
  return { ...(field !== undefined && /^[\w.[\]]{1,160}$/.test(field) ? { field } : {}), ...(known === undefined ? {} : { reason: known }) };
}

function reasonOf(reason: string | undefined): string | undefined {
  return reason !== undefined && /^[A-Z][A-Z0-9_]{1,80}$/.test(reason) ? reason : undefined;
}

/** Our words for what a user can mend; else Google's, masked: they may repeat a value. */
function wordsOf({ reason, message, field }: Said): string {
  const words = remedyOf(reason) ?? maskText(message).replace(/\.$/, '');
  return `: ${words === '' ? 'no reason given' : words} (${reason}${field === undefined ? '' : ` at ${field}`})`;
}

/** `google.protobuf.Duration` of a `RetryInfo`, e.g. `34.5s`. */
function delayIn(delay: string | undefined): number | undefined {
  const seconds = /^(\d{1,5}(?:\.\d{1,9})?)s$/.exec(delay ?? '')?.[1];
  return seconds === undefined ? undefined : Math.ceil(Number(seconds) * 1000);
}

/** `ErrorInfo.metadata.quota_limit` names a limit like `ReadsPerMinutePerProject` (google/api/error_reason.proto). Unnamed: the tighter one. */
function limitNameOf(said: Said | undefined): string {
  const named = [said?.metadata['quota_limit'], said?.metadata['quota_metric'], said?.message].join(' ');
  return /per[\s_-]?day/i.test(named) ? day : minute;
}
