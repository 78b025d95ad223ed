import type { Limit } from '../connector';
import type { SimAnswer } from '../simulator/types';
import { day } from './limits';

/** What is wrong with one field of a request. */
export interface Violation {
  field: string;
  description: string;
  reason: string;
}

const type = (name: string): string => `type.googleapis.com/google.rpc.${name}`;

/** `google.rpc.Status` over HTTP, in the form of devguides/concepts/understand-errors. */
function refused(
  code: number,
  status: string,
  requestId: string,
  message: string,
  more: { reason?: string; metadata?: object; details?: object[] } = {},
): SimAnswer {
  const id = `t-${requestId}`;
  const info = {
    '@type': type('ErrorInfo'),
    reason: more.reason ?? status,
    domain: 'datamanager.googleapis.com',
    metadata: { requestId: id, ...more.metadata },
  };
  return {
    status: code,
    body: { error: { code, message, status, details: [info, { '@type': type('RequestInfo'), requestId: id }, ...(more.details ?? [])] } },
  };
}

/** A whole request refused for some of its fields. */
export function badRequest(requestId: string, fieldViolations: Violation[]): SimAnswer {
  return refused(400, 'INVALID_ARGUMENT', requestId, 'There was a problem with the request.', {
    details: [{ '@type': type('BadRequest'), fieldViolations }],
  });
}

/** Names of the limits are a guess, in the manner of google/api/error_reason.proto. */
export function overQuota(limit: Limit, requestId: string): SimAnswer {
  const quota = `RequestsPer${limit.name === day ? 'Day' : 'Minute'}PerProject`;
  return refused(
    429,
    'RESOURCE_EXHAUSTED',
    requestId,
    `Quota exceeded for quota metric 'Requests' and limit '${quota}' of service 'datamanager.googleapis.com'.`,
    {
      reason: 'RATE_LIMIT_EXCEEDED',
      metadata: { service: 'datamanager.googleapis.com', quota_limit: quota, quota_metric: 'datamanager.googleapis.com/requests' },
    },
  );
}

// google/rpc/code.proto, and the HTTP status it gives each.
const names: Readonly<Record<number, readonly [status: string, message: string]>> = {
  400: ['INVALID_ARGUMENT', 'There was a problem with the request.'],
  401: ['UNAUTHENTICATED', 'Request had invalid authentication credentials. Expected OAuth 2 access token.'],
  403: ['PERMISSION_DENIED', 'The caller does not have permission.'],
  404: ['NOT_FOUND', 'Requested entity was not found.'],
  409: ['ALREADY_EXISTS', 'The entity already exists.'],
  422: ['INVALID_ARGUMENT', 'There was a problem with the request.'],
  429: ['RESOURCE_EXHAUSTED', 'Too many requests.'],
  500: ['INTERNAL', 'An internal error has occurred.'],
  503: ['UNAVAILABLE', 'The service is currently unavailable.'],
  504: ['DEADLINE_EXCEEDED', 'The request took too long to respond.'],
};

/** The documented body of an error status; anything else is Google's front end speaking, in HTML. */
export function failure(status: number, requestId: string, detail?: string): SimAnswer {
  const known = names[status];
  if (!known) return { status, headers: { 'content-type': 'text/html; charset=UTF-8' }, body: `<!DOCTYPE html><title>Error ${status}</title>` };
  return refused(status, known[0], requestId, detail ?? known[1]);
}
