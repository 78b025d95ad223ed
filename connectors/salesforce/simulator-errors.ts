import type { SimAnswer } from '../simulator/types';

const said: Readonly<Record<number, readonly [code: string, message: string]>> = {
  401: ['INVALID_SESSION_ID', 'Session expired or invalid'],
  403: ['API_DISABLED_FOR_ORG', 'The REST API is not enabled for this Organization.'],
  404: ['NOT_FOUND', 'The requested resource does not exist'],
  429: ['REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.'],
  500: ['UNKNOWN_EXCEPTION', 'An unexpected error occurred. Please include this ErrorId if you contact support: 1234567890-12345'],
};

/** Errors come as a JSON array, even of one. */
export function failure(status: number, _requestId: string, detail?: string): SimAnswer {
  const [errorCode, message] =
    said[status] ?? (status >= 500 ? ['SERVER_UNAVAILABLE', 'Server is busy, try again later'] : ['JSON_PARSER_ERROR', 'Unexpected']);
  return { status, body: [{ message: detail ?? message, errorCode }] };
}
