import { VendorError } from './errors';

/** What `http.ts` knows of a request that got no readable answer. Nothing of the client library's error is passed on: it holds headers. */
export interface NetworkFailure {
  vendor: string;
  /** Method and path, masked. */
  what: string;
  /** Node's or the client's error code. */
  code: string | undefined;
  /** The connection stood when it failed: bytes of the request may have left. */
  left: boolean;
  /** Set when our own deadline ended the call, milliseconds. */
  deadlineMs?: number;
  /** The caller gave up. */
  aborted?: boolean;
  /** An answer began, but was larger than we read. */
  tooLong?: { status: number | null };
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused the connection',
  ENOTFOUND: 'has an address that does not resolve',
  EAI_AGAIN: 'has an address that did not resolve just now',
  ECONNRESET: 'closed the connection',
  EPIPE: 'closed the connection',
  EHOSTUNREACH: 'is not reachable from here',
  ENETUNREACH: 'is not reachable from here',
};

/**
 * The one classification of calls without an answer. `ambiguous` only if the request may have left: a refused connection, an
 * unknown name, a failed TLS handshake or a deadline while connecting prove that it did not.
 */
export function networkError(failure: NetworkFailure): VendorError {
  const { vendor, what, left } = failure;
  const mayHave = left ? '; the request may have taken effect' : '; the request did not leave';
  if (failure.tooLong) {
    return new VendorError({
      code: 'UNKNOWN',
      status: failure.tooLong.status,
      message: `${vendor} answered ${what} with more than we read; the request may have taken effect`,
      ambiguous: true,
    });
  }
  if (failure.aborted) {
    // Our own doing: says nothing of the vendor's health, so it must not count for the breaker.
    return new VendorError({ code: 'UNAVAILABLE', status: null, message: `${what} to ${vendor} was cancelled${mayHave}`, ambiguous: left });
  }
  const how =
    failure.deadlineMs === undefined
      ? `${words[failure.code ?? ''] ?? 'could not be reached'}${failure.code ? ` (${failure.code})` : ''}`
      : `did not ${left ? 'answer' : 'accept a connection'} within ${failure.deadlineMs} ms`;
  return new VendorError({
    code: 'UNAVAILABLE',
    status: null,
    message: `${vendor} ${how}, ${what}${mayHave}`,
    connection: true,
    ambiguous: left,
  });
}
