import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { Json } from '../schemas/json';
import type { Connector, VendorRequest, VendorResponse } from './connector';
import { VendorError } from './errors';
import { maskText } from './mask';

/** Whether bytes of a request may have reached the wire. */
export interface Wire {
  left: boolean;
}

/**
 * A transport that notes in `wire` when the connection of its request stands (for HTTPS: after the handshake). Before that
 * Node has written nothing of the request, so a failure is not ambiguous. Error codes alone cannot tell: ECONNRESET may come
 * from a handshake, and a deadline from a connection never made.
 */
export function transportWatching(wire: Wire): { transport: { request: typeof http.request } } {
  const request = (options: RequestOptions, onResponse?: (response: IncomingMessage) => void): ClientRequest => {
    const secure = options.protocol === 'https:';
    const made = (secure ? https : http).request(options, onResponse);
    made.once('socket', (socket: Socket) => {
      if (made.reusedSocket || !socket.connecting) wire.left = true;
      else socket.once(secure ? 'secureConnect' : 'connect', () => (wire.left = true));
    });
    return made;
  };
  return { transport: { request: request as typeof http.request } };
}

/** A request as the client library takes it. */
export interface Sendable {
  url: string;
  headers: Record<string, string>;
  data?: string;
}

/** Address, headers and body of a request. Throws `VendorError` when they cannot be sent. */
export function prepare(connector: Connector, root: string, request: VendorRequest, credentials: Readonly<Record<string, string>>): Sendable {
  const { vendor } = connector;
  const url = URL.canParse(root + request.path) ? new URL(root + request.path) : undefined;
  if (!url || url.origin !== new URL(root).origin) {
    throw new VendorError({ code: 'INVALID', status: null, message: `${vendor}: a request path does not belong to ${root}; not sent` });
  }
  for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.append(name, value);
  const headers: Record<string, string> = {
    accept: 'application/json',
    'user-agent': 'syncline',
    ...(request.text ? { 'content-type': request.text.type } : request.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...request.headers,
    ...connector.auth(credentials),
  };
  const bad = Object.keys(headers).find((name) => /[^\t\x20-\x7e\x80-\xff]/.test(headers[name] ?? ''));
  if (bad !== undefined) {
    throw new VendorError({
      // Ours to mend, not the vendor's word on a record: held and tried again, like a vendor that does not answer.
      code: 'UNAVAILABLE',
      connection: true,
      status: null,
      message: `${vendor}: header ${bad} holds characters HTTP cannot carry (a line break at the end of a secret?); not sent`,
    });
  }
  const data = request.text?.content ?? (request.body === undefined ? undefined : JSON.stringify(request.body));
  return { url: url.href, headers, ...(data === undefined ? {} : { data }) };
}

/** Lower-case names, repeated values joined. */
export function plainHeaders(headers: object): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && value !== null) plain[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : String(value);
  }
  return plain;
}

/** The vendor's id of a request, whatever it calls it: `x-request-id`, `x-hubspot-correlation-id`, … */
export function requestIdIn(headers: Readonly<Record<string, string>>): string | undefined {
  const name = Object.keys(headers).find((header) => /(request|correlation|trace)-?id$/.test(header));
  return name === undefined ? undefined : headers[name];
}

/** An empty body is null; anything that is not JSON is kept as text, `ok: false`. */
export function parseJson(text: string): { ok: boolean; data: Json } {
  if (text.trim() === '') return { ok: true, data: null };
  try {
    return { ok: true, data: JSON.parse(text) as Json };
  } catch {
    return { ok: false, data: text.slice(0, 64 * 1024) };
  }
}

/** Some vendors repeat the token they refuse; what they say is kept, so it goes first: as it is, as JSON may spell it, and as in a form. */
export function withoutSecrets(text: string, credentials: Readonly<Record<string, string>>): string {
  return Object.values(credentials)
    .filter((secret) => secret.length >= 6)
    .flatMap((secret) => [secret, secret.replaceAll('/', String.raw`\/`), encodeURIComponent(secret)])
    .reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
}

/** A path as people may read it: decoded, its query cut off, each part masked by itself. */
export function shownPath(path: string): string {
  return path
    .split('?', 1)[0]!
    .split('/')
    .map((part) => maskText(decoded(part)))
    .join('/');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A 2xx whose body is not JSON: it probably took effect, but says nothing of the records. */
export function unreadable(vendor: string, what: string, response: Pick<VendorResponse, 'status' | 'headers'>): VendorError {
  const requestId = requestIdIn(response.headers);
  return new VendorError({
    code: 'UNKNOWN',
    status: response.status,
    message: `${vendor} answered ${what} with ${response.status}, but not in JSON; the request may have taken effect`,
    ambiguous: true,
    ...(requestId === undefined ? {} : { requestId }),
  });
}

/** The failure a 2xx answer hides, when the connector knows such; one that fails to read the answer found none. */
export function hiddenFailure(connector: Connector, response: VendorResponse): VendorError | null {
  try {
    return connector.failureIn?.(response) ?? null;
  } catch {
    return null;
  }
}

/** The connector's reading of a refusal; a connector that fails to read it yields UNKNOWN, never a crash. */
export function errorOf(connector: Connector, response: VendorResponse): VendorError {
  try {
    return connector.errorFrom(response);
  } catch {
    return new VendorError({
      code: 'UNKNOWN',
      status: response.status,
      message: `${connector.vendor} answered ${response.status} in a form we do not know`,
      vendorSaid: response.data,
    });
  }
}

/** A 401, or what a vendor says instead of one (Meta a 400, Marketo a 200); or rights that are missing, and may come with another token. */
export function refusesCredentials({ code, status }: VendorError): boolean {
  return status === 401 || (code === 'AUTH' && status !== null);
}
