import { Refusal } from './answers';

/**
 * Reads a request's body, at most `maxBytes` of it, and rejects with a `Refusal` (`bodyTooLarge`, `bodyIncomplete`)
 * otherwise. Called only once a request got that far, so that what is refused earlier is never read.
 */
export type BodyReader = (maxBytes: number) => Promise<Buffer>;

export function bodyTooLarge(maxBytes: number): Refusal {
  return new Refusal(
    'BODY_TOO_LARGE',
    `the body is larger than ${maxBytes} bytes`,
    'send fewer events per delivery, or raise the limit where the receiver is made',
  );
}

export function bodyIncomplete(): Refusal {
  return new Refusal('BODY_INCOMPLETE', 'the connection ended before the body did', 'send the delivery again');
}

export function bodyTimeout(afterMs: number): Refusal {
  return new Refusal('BODY_TIMEOUT', `the body did not arrive within ${afterMs} ms`, 'send the delivery again');
}

/** A framework parsed the body: the bytes that were signed are gone. */
export function bodyAlreadyParsed(): Refusal {
  return new Refusal(
    'BODY_ALREADY_PARSED',
    'a body parser ran before the webhook handler, so the signature cannot be checked',
    'mount the handler before express.json(), or use express.raw({ type: "*/*" }) on this path',
  );
}
