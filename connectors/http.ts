import http from 'node:http';
import https from 'node:https';
import axios, { isAxiosError, type AxiosResponse } from 'axios';
import type { BudgetScope, Lane } from '../schemas/plan';
import { CallPermits, type CallOptions } from './call-permits';
import type { Call, Connector, VendorRequest, VendorResponse } from './connector';
import { VendorError } from './errors';
import {
  errorOf,
  hiddenFailure,
  parseJson,
  plainHeaders,
  prepare,
  refusesCredentials,
  requestIdIn,
  shownPath,
  transportWatching,
  unreadable,
  withoutSecrets,
} from './http-wire';
import { areReplaced, knowsWhoAsks, loggedIn } from './login';
import { maskText } from './mask';
import { networkError } from './network-errors';
import type { CallEnd, Gate, Permit } from './permit';

/** One HTTP request as it ended: for logs, metrics and the attempts in history. No query, no body, no headers. */
export interface HttpAttempt {
  vendor: string;
  method: string;
  /** Masked. */
  path: string;
  sync: string;
  lane: Lane;
  status: number | null;
  /** `OK` or a vendor error code. */
  code: string;
  tookMs: number;
  requestId?: string;
  ambiguous: boolean;
}

/** What {@link createVendorHttp} needs. */
export interface VendorHttpOptions {
  connector: Connector;
  /** The account's address: the connector's own unless overridden. Logins go there, too, if it is overridden. */
  baseUrl: string;
  /** Credential fields by name. Kept until the vendor refuses them, then read again, once per request. */
  credentials: () => Promise<Readonly<Record<string, string>>>;
  gate: Gate;
  /** Budget scopes of a request that names a quota of its own. @default those of its call */
  scopesOf?: (quota: string) => readonly BudgetScope[];
  /** From permit to last byte of the answer, milliseconds. @default 10_000 */
  timeoutMs?: number;
  /** Largest answer read, bytes. @default 16 MiB */
  maxAnswerBytes?: number;
  onAttempt?: (attempt: HttpAttempt) => void;
}

export type { CallOptions } from './call-permits';

/** A {@link Call} that can say that it did not need its permit. */
export interface PermittedCall extends Call {
  /** Gives the permit passed in back, if no request took it. Harmless otherwise. */
  release(): void;
}

/** One vendor account over HTTP. */
export interface VendorHttp {
  call(options: CallOptions): PermittedCall;
  /** Closes idle connections. */
  close(): void;
}

/**
 * The only way out to a vendor, and the only user of axios. Every request spends exactly one permit and ends it exactly once:
 * `giveBack` if no connection was tried, else `done`, even when the connection was refused (the budget hears of it). Redirects
 * are not followed; errors are `VendorError`, without secrets and personal data.
 */
export function createVendorHttp(options: VendorHttpOptions): VendorHttp {
  const { connector, gate, onAttempt } = options;
  const timeoutMs = options.timeoutMs ?? 10_000;
  const base = new URL(options.baseUrl);
  const root = rootOf(base);
  const isOverridden = root !== rootOf(new URL(connector.baseUrl));
  const loginRoot = connector.login?.baseUrl === undefined || isOverridden ? root : rootOf(new URL(connector.login.baseUrl));
  const loopback = /^(localhost|127\.|\[::1\])/.test(base.hostname);
  // An idle connection is dropped before the server's usual 5 s do it: a request on a connection just closed is ambiguous.
  const agents = { http: new http.Agent({ keepAlive: true, timeout: 4_000 }), https: new https.Agent({ keepAlive: true, timeout: 4_000 }) };
  const client = axios.create({
    httpAgent: agents.http,
    httpsAgent: agents.https,
    maxRedirects: 0,
    maxContentLength: options.maxAnswerBytes ?? 16 * 1024 * 1024,
    maxBodyLength: Infinity,
    validateStatus: () => true,
    responseType: 'text',
    transformRequest: [(data: unknown) => data],
    transformResponse: [(data: unknown) => data],
    ...(loopback ? { proxy: false as const } : {}),
  });

  let credentials: Promise<Readonly<Record<string, string>>> | undefined;
  let current: Readonly<Record<string, string>> | undefined;
  /** Shared by the calls of this account: one reads, and logs in, for all that wait. */
  const currentCredentials = async (send: (request: VendorRequest, own: Readonly<Record<string, string>>) => Promise<VendorResponse>) => {
    credentials ??= options.credentials().then((own) => loggedIn(connector, own, (request) => send(request, own)));
    try {
      current = await credentials;
      return current;
    } catch (error) {
      credentials = undefined;
      if (error instanceof VendorError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new VendorError({
        code: 'UNAVAILABLE',
        status: null,
        connection: true,
        message: `credentials of ${connector.vendor} cannot be read: ${maskText(why)}`,
      });
    }
  };

  /** An observer that fails must not make a delivered request look failed. */
  const observe = (attempt: Omit<HttpAttempt, 'vendor'>): void => {
    try {
      onAttempt?.({ vendor: connector.vendor, ...attempt });
    } catch {
      // its own problem
    }
  };

  /** One request, one permit; what cannot be sent fails before it takes one. */
  async function spend(
    request: VendorRequest,
    by: CallOptions,
    nextPermit: () => Promise<Permit>,
    secrets: Readonly<Record<string, string>>,
    to = root,
  ): Promise<VendorResponse> {
    const { method } = request;
    const path = shownPath(request.path);
    const sendable = prepare(connector, to, request, secrets);
    const permit = await nextPermit();
    if (by.signal?.aborted) {
      permit.giveBack();
      throw by.signal.reason;
    }

    const abort = new AbortController();
    let expired = false;
    const deadline = setTimeout(() => {
      expired = true;
      abort.abort();
    }, timeoutMs);
    const onAbort = (): void => abort.abort();
    by.signal?.addEventListener('abort', onAbort, { once: true });
    const wire = { left: false };
    const started = performance.now();
    permit.sent?.();

    const finish = (end: CallEnd, code: string, ambiguous: boolean): void => {
      permit.done(end);
      const requestId = requestIdIn(end.headers);
      const tookMs = Math.round(performance.now() - started);
      observe({
        method,
        path,
        sync: by.sync,
        lane: by.lane,
        status: end.status,
        code,
        tookMs,
        ambiguous,
        ...(requestId === undefined ? {} : { requestId }),
      });
    };

    let answer: AxiosResponse<string>;
    try {
      answer = await client.request<string>({
        ...sendable,
        method,
        signal: abort.signal,
        ...transportWatching(wire),
      });
    } catch (error) {
      const known = isAxiosError(error) ? error : undefined;
      const failure = networkError({
        vendor: connector.vendor,
        what: `${method} ${path}`,
        code: known?.code,
        left: wire.left,
        ...(expired ? { deadlineMs: timeoutMs } : {}),
        ...(!expired && by.signal?.aborted ? { aborted: true } : {}),
        ...(known?.message.startsWith('maxContentLength') ? { tooLong: { status: known.response?.status ?? null } } : {}),
      });
      finish({ status: failure.status, headers: {}, ...(failure.connection ? { connection: true } : {}) }, failure.code, failure.ambiguous);
      throw failure;
    } finally {
      clearTimeout(deadline);
      by.signal?.removeEventListener('abort', onAbort);
    }

    const responseHeaders = plainHeaders(answer.headers);
    const text = typeof answer.data === 'string' ? answer.data : '';
    const good = answer.status >= 200 && answer.status < 300;
    const parsed = good ? (request.answer === 'text' ? { ok: true, data: text } : parseJson(text)) : parseJson(withoutSecrets(text, secrets));
    const response = { status: answer.status, headers: responseHeaders, data: parsed.data };
    // Looked for in the answer as it is; what is kept of a failure comes from one without secrets.
    const hidden =
      good && parsed.ok && hiddenFailure(connector, response)
        ? hiddenFailure(connector, { ...response, data: parseJson(withoutSecrets(text, secrets)).data })
        : null;
    if (good && parsed.ok && !hidden) {
      finish({ status: answer.status, headers: responseHeaders }, 'OK', false);
      return response;
    }
    const unread = (): VendorError => unreadable(connector.vendor, `${method} ${path}`, { status: answer.status, headers: responseHeaders });
    const error = hidden ?? (good ? unread() : errorOf(connector, response));
    finish({ status: answer.status, headers: responseHeaders, ...rateLimitedIn(error) }, error.code, error.ambiguous);
    throw error;
  }

  return {
    call(by) {
      const permits = new CallPermits({ vendor: connector.vendor, gate, scopesOf: options.scopesOf, by });
      const request = async (vendorRequest: VendorRequest): Promise<VendorResponse> => {
        by.signal?.throwIfAborted();
        const { signal, ...alone } = by;
        const login = (one: VendorRequest, own: Readonly<Record<string, string>>) => spend(one, alone, () => permits.login(one.quota), own, loginRoot);
        const session = () => permits.patiently(currentCredentials(login));
        const used = await session().catch((error: unknown) => {
          signal?.throwIfAborted();
          throw error;
        });
        try {
          return await spend(vendorRequest, by, () => permits.next(vendorRequest), used);
        } catch (error) {
          if (!(error instanceof VendorError) || !refusesCredentials(error)) throw error;
          permits.refused();
          if (knowsWhoAsks(connector, error) && !(await areReplaced(used, options.credentials))) throw error;
          // Several calls may meet the refusal together: only the first throws the old credentials away.
          if (current === used) credentials = current = undefined;
          const fresh = await session();
          if (JSON.stringify(connector.auth(fresh)) === JSON.stringify(connector.auth(used))) throw error;
          return spend(vendorRequest, by, () => permits.next(vendorRequest), fresh);
        }
      };
      return {
        request,
        get: (path, query) => request({ method: 'GET', path, ...(query ? { query } : {}) }),
        post: (path, body) => request({ method: 'POST', path, body }),
        release: () => permits.release(),
      };
    },
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

const rootOf = (url: URL): string => url.href.replace(/\/+$/, '');

function rateLimitedIn(error: VendorError): Pick<CallEnd, 'rateLimited'> {
  if (error.code !== 'RATE_LIMITED') return {};
  return {
    rateLimited: {
      ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
      ...(error.limitName === undefined ? {} : { limitName: error.limitName }),
    },
  };
}
