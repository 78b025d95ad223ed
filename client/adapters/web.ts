import type { Receiver } from '../receive';
import { bodyAlreadyParsed, bodyTooLarge, type BodyReader } from '../receiver/body';
import { type Route, routeOf } from '../receiver/routes';

/**
 * A handler for everything that speaks `Request` and `Response`: Next.js (`export const POST = webHandler(receiver)`), Hono
 * (`app.post('/webhooks/*', (c) => handler(c.req.raw))`), Bun, Deno and others.
 *
 * @param route Fixed route; without it the path says: `…/webhooks/<syncId>` or `…/webhooks/<source>/<account>`.
 */
export function webHandler(receiver: Pick<Receiver, 'receive'>, route?: Route): (request: Request) => Promise<Response> {
  return async (request) => {
    const answer = await receiver.receive({
      method: request.method,
      url: request.url,
      headers: Object.fromEntries(request.headers),
      body: bodyReader(request),
      route: route ?? routeOf(new URL(request.url).pathname),
    });
    return new Response(JSON.stringify(answer.body), { status: answer.status, headers: answer.headers });
  };
}

function bodyReader(request: Request): BodyReader {
  return async (maxBytes) => {
    if (request.bodyUsed) throw bodyAlreadyParsed();
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      // Leaving the loop cancels the stream: nothing more is read.
      if (bytes > maxBytes) throw bodyTooLarge(maxBytes);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, bytes);
  };
}
