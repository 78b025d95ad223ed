import type { Connector, VendorRequest, VendorResponse } from './connector';
import { VendorError } from './errors';

type Credentials = Readonly<Record<string, string>>;

/**
 * The credentials with what the vendor's login adds to them. Fails with `VendorError`, never ambiguous: a login that got lost
 * has written nothing. What trying again cannot mend is `AUTH`, whatever it was refused for: no record is at fault.
 *
 * @param send - sends one request without a session, for one permit
 */
export async function loggedIn(connector: Connector, own: Credentials, send: (request: VendorRequest) => Promise<VendorResponse>): Promise<Credentials> {
  if (!connector.login) return own;
  let response: VendorResponse;
  try {
    response = await send(connector.login.request(own));
  } catch (error) {
    if (!(error instanceof VendorError)) throw error;
    throw new VendorError({ ...error, message: error.message, ambiguous: false, code: error.retryable ? error.code : 'AUTH' });
  }
  const session = connector.login.read(response);
  if (session) return { ...own, ...session };
  // Without the answer: it may hold a token in a place we do not know.
  throw new VendorError({ code: 'UNKNOWN', status: response.status, message: `${connector.vendor} answered the login in a form we do not know` });
}

/** A 403 is about rights: another session of the same user would meet it as well, and cost a login each time. */
export function knowsWhoAsks({ login }: Connector, { status }: VendorError): boolean {
  return login !== undefined && status === 403;
}

/** Whether there are other credentials now than those that were used. */
export async function areReplaced(used: Credentials, read: () => Promise<Credentials>): Promise<boolean> {
  try {
    return Object.entries(await read()).some(([field, value]) => used[field] !== value);
  } catch {
    return false;
  }
}
