import Fastify, { type FastifyInstance } from 'fastify';
import type { Payload, PayloadCodec } from '@temporalio/common';

export interface CodecServerOptions {
  codec: PayloadCodec;
  /** Origins of the Web UI whose pages may read the answers, e.g. `http://localhost:8233`. */
  origins: readonly string[];
}

/** A history's payloads come in one request. */
const maxRequestBytes = 64 * 1024 * 1024;

/**
 * Temporal's remote codec protocol (`POST /encode`, `POST /decode`), which keeps the Web UI and the `temporal` CLI readable
 * when payloads are compressed or encrypted. It hands out plain text to whoever asks: bind it to the loopback address only.
 */
export function createCodecServer({ codec, origins }: CodecServerOptions): FastifyInstance {
  const app = Fastify({ logger: false, bodyLimit: maxRequestBytes });

  app.addHook('onRequest', async (request, reply) => {
    if (!isLoopback(request.headers.host)) {
      // A page on another name that resolves to 127.0.0.1 (DNS rebinding) is not the Web UI.
      return reply.code(403).send(refusal('HOST_NOT_ALLOWED', 'only localhost and 127.0.0.1 are served'));
    }
    const { origin } = request.headers;
    if (origin === undefined) return; // not a browser: the temporal CLI
    if (!origins.includes(origin)) {
      return reply.code(403).send(refusal('ORIGIN_NOT_ALLOWED', `allowed: ${origins.join(', ')} (SYNCLINE_CODEC_ORIGINS)`));
    }
    void reply.headers({
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'POST, OPTIONS',
      'access-control-allow-headers': 'content-type, x-namespace, authorization',
      'access-control-max-age': '600',
      vary: 'origin',
    });
    if (request.method === 'OPTIONS') return reply.code(204).send();
  });

  app.post('/encode', async (request) => toJson(await codec.encode(fromJson(request.body))));
  app.post('/decode', async (request) => toJson(await codec.decode(fromJson(request.body))));
  app.get('/healthz', (_request, reply) => reply.send({ status: 'alive' }));

  app.setErrorHandler((error, _request, reply) => {
    const message = error instanceof Error ? error.message : String(error);
    return reply.code(400).send(refusal('NOT_DECODED', message));
  });
  return app;
}

function isLoopback(host: string | undefined): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(host ?? '');
}

function refusal(code: string, message: string): { code: string; message: string } {
  return { code, message };
}

/** Payloads in proto3's JSON form: bytes are base64. */
interface JsonPayload {
  metadata?: Record<string, string>;
  data?: string;
}

function fromJson(body: unknown): Payload[] {
  const payloads = (body as { payloads?: unknown } | null)?.payloads;
  if (!Array.isArray(payloads)) throw new Error('expected {"payloads":[{"metadata":{…},"data":"…"}]}, bytes in base64');
  return payloads.map((payload: JsonPayload) => ({
    metadata: Object.fromEntries(Object.entries(payload.metadata ?? {}).map(([field, value]) => [field, Buffer.from(value, 'base64')])),
    ...(payload.data === undefined ? {} : { data: Buffer.from(payload.data, 'base64') }),
  }));
}

function toJson(payloads: Payload[]): { payloads: JsonPayload[] } {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  return {
    payloads: payloads.map((payload) => ({
      metadata: Object.fromEntries(Object.entries(payload.metadata ?? {}).map(([field, value]) => [field, base64(value)])),
      ...(payload.data ? { data: base64(payload.data) } : {}),
    })),
  };
}
