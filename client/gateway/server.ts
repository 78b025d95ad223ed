import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { nodeHandler } from '../adapters/node';
import type { Receiver } from '../receive';
import type { GatewayMetrics } from './metrics';
import type { Monitor } from './monitor';

export interface GatewayOptions {
  receiver: Receiver;
  monitor: Monitor;
  metrics: GatewayMetrics;
  /** The inbox is at its bound: not ready. */
  inboxFull: () => boolean;
}

export interface Gateway {
  /** Resolves once it listens. */
  listen(at: { host: string; port: number }): Promise<{ port: number; url: string }>;
  /** Takes no more, answers what is under way, waits for its inserts. */
  close(): Promise<void>;
}

const webhookPath = '/webhooks/';

const timeouts = {
  /** Longer than the idle timeout of the usual load balancers (60 s), or they would use connections we just closed. */
  keepAliveTimeout: 65_000,
  headersTimeout: 10_000,
  /** Until the last byte of a request; the receiver gives a body 10 s. */
  requestTimeout: 15_000,
  /** How often node looks at the two above. */
  connectionsCheckingInterval: 2_000,
};

/** The gateway: `POST /webhooks/…`, `/healthz`, `/readyz`, `/metrics`. */
export function createGateway(options: GatewayOptions): Gateway {
  const webhooks = nodeHandler(options.receiver);
  let closing = false;
  let server: Server | undefined;

  // Webhooks go past fastify: its parsers and content type rules are in the way of raw bytes, and each costs time.
  const app = Fastify({
    logger: false,
    serverFactory: (handler) => {
      server = createServer(timeouts, (request, response) => {
        if (!request.url?.startsWith(webhookPath)) return handler(request, response);
        if (closing) response.shouldKeepAlive = false;
        void webhooks(request, response);
      });
      return server;
    },
  });
  operations(app, { ...options, isClosing: () => closing });

  return {
    listen: async ({ host, port }) => {
      await app.listen({ host, port });
      const address = app.server.address() as AddressInfo;
      const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
      return { port: address.port, url: `http://${name}:${address.port}` };
    },
    close: async () => {
      closing = true;
      // A connection may fall idle just after the idle ones were closed; it would stay open for keepAliveTimeout.
      const sweep = setInterval(() => server?.closeIdleConnections(), 50);
      try {
        await app.close();
      } finally {
        clearInterval(sweep);
      }
      await options.receiver.drain();
    },
  };
}

function operations(app: FastifyInstance, options: GatewayOptions & { isClosing: () => boolean }): void {
  const { monitor, metrics, inboxFull, isClosing } = options;

  app.get('/healthz', (_request, reply) => reply.send({ status: 'alive' }));

  app.get('/readyz', (_request, reply) => {
    const surroundings = monitor.current();
    const state = isClosing() ? 'closing' : surroundings.database !== 'up' ? 'inbox unreachable' : inboxFull() ? 'inbox full' : 'ready';
    return reply.code(state === 'ready' ? 200 : 503).send({ ready: state === 'ready', state, ...surroundings });
  });

  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.render()));

  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({
      code: 'UNKNOWN_PATH',
      message: 'there is nothing at this path',
      next: 'POST /webhooks/<syncId> or /webhooks/<source>/<account>; GET /healthz, /readyz, /metrics',
    }),
  );
}
