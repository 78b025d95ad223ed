import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Delivery, Receiver } from '../receive';
import type { Answer } from '../receiver/answers';
import { bodyAlreadyParsed, bodyIncomplete, bodyTooLarge, type BodyReader } from '../receiver/body';
import { type Route, routeOf } from '../receiver/routes';

/** A request of node's own server, or of a framework on top of it. */
export type NodeRequest = IncomingMessage & {
  /** Set by frameworks that parsed the body: a Buffer (`express.raw()`) is used, anything else is an error. */
  body?: unknown;
  /** Set by some frameworks next to a parsed body. */
  rawBody?: unknown;
  /** Express: the path before routers cut it. */
  originalUrl?: string;
};

/** Answers every request it gets; resolves when the answer was handed to the connection. */
export type NodeHandler = (request: NodeRequest, response: ServerResponse) => Promise<void>;

/**
 * A handler for node's http server, Express (`app.post('/webhooks/*path', handler)`, before `express.json()`) and Fastify
 * (`reply.hijack(); handler(request.raw, reply.raw)`, with a content type parser that leaves the body alone).
 *
 * @param route Fixed route; without it the path says: `…/webhooks/<syncId>` or `…/webhooks/<source>/<account>`.
 */
export function nodeHandler(receiver: Pick<Receiver, 'receive'>, route?: Route): NodeHandler {
  return async (request, response) => {
    const answer = await receiver.receive(nodeDelivery(request, route));
    if (!response.destroyed && !response.headersSent) writeAnswer(response, answer);
  };
}

function nodeDelivery(request: NodeRequest, route: Route | undefined): Delivery {
  const url = request.originalUrl ?? request.url ?? '/';
  return {
    method: request.method ?? 'GET',
    url,
    headers: firstHeaders(request.rawHeaders),
    body: bodyOf(request),
    route: route ?? routeOf(url),
  };
}

/** Lower-case names, the first value of repeated ones: node itself joins some of them. */
function firstHeaders(raw: readonly string[]): Record<string, string> {
  const headers = Object.create(null) as Record<string, string>;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] as string).toLowerCase();
    headers[name] ??= raw[index + 1] as string;
  }
  return headers;
}

function bodyOf(request: NodeRequest): Buffer | BodyReader {
  for (const body of [request.rawBody, request.body]) {
    if (Buffer.isBuffer(body)) return body;
  }
  return request.readableEnded ? () => Promise.reject(bodyAlreadyParsed()) : (maxBytes) => readStream(request, maxBytes);
}

function readStream(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const stop = (): void => {
      request.off('data', onData).off('end', onEnd).off('error', onClose).off('close', onClose);
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        stop();
        // Read on and forget: a connection that is closed on unread bytes is reset, and the answer with it.
        request.on('error', () => undefined).resume();
        reject(bodyTooLarge(maxBytes));
        return;
      }
      chunks.push(chunk);
    };
    const onEnd = (): void => {
      stop();
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes));
    };
    const onClose = (): void => {
      stop();
      reject(bodyIncomplete());
    };
    request.on('data', onData).on('end', onEnd).on('error', onClose).on('close', onClose);
  });
}

function writeAnswer(response: ServerResponse, { status, headers, body }: Answer): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
