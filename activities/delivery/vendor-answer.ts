import type { Call, VendorRequest } from '../../connectors/connector';
import { VendorError } from '../../connectors/errors';
import { maskText } from '../../connectors/mask';
import type { Json } from '../../schemas/json';

/** Characters of JSON. */
const maxSaid = 32_768;

/** A vendor's answer as it may stand in history: whole, unless it is huge. */
export function bounded(said: unknown): Json {
  if (said === undefined) return null;
  const text = JSON.stringify(said) ?? 'null';
  return text.length <= maxSaid ? (said as Json) : `${text.slice(0, maxSaid)}… (${text.length} characters)`;
}

/** A refusal of the call as a whole, for what is in it. */
export function isBatchRefusal(error: VendorError): boolean {
  return error.code === 'INVALID' || error.code === 'TOO_LARGE' || error.code === 'CONFLICT';
}

/** A bug in a connector, or an answer it can't read: never permanent, and possibly sent. */
export function connectorFault(thrown: unknown): VendorError {
  return new VendorError({ code: 'UNKNOWN', status: null, ambiguous: true, message: maskText(`the connector failed: ${String(thrown)}`) });
}

/** Remembers how the last request of a call ended, for the attempt's line. */
export function watchStatus(inner: Call): { call: Call; status(): number | null; requestId(): string | undefined } {
  let status: number | null = null;
  let requestId: string | undefined;
  const request = async (wanted: VendorRequest) => {
    const response = await inner.request(wanted);
    status = response.status;
    requestId = response.headers['x-hubspot-correlation-id'] ?? response.headers['x-request-id'];
    return response;
  };
  return {
    call: {
      request,
      get: (path, query) => request({ method: 'GET', path, ...(query ? { query } : {}) }),
      post: (path, body) => request({ method: 'POST', path, body }),
    },
    status: () => status,
    requestId: () => requestId,
  };
}
