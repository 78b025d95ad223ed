import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createCodec } from '../../platform/codec';
import { type CodecKey, parseCodecKeys } from '../../platform/codec-keys';
import { createCodecServer } from './server';

const ui = 'http://localhost:8233';
const [key] = parseCodecKeys([Buffer.alloc(32, 9).toString('base64')]) as [CodecKey];
const base64 = (text: string) => Buffer.from(text).toString('base64');
const plain = { metadata: { encoding: base64('json/plain') }, data: base64('{"email":"ada@example.com"}') };

async function withServer<T>(work: (url: string) => Promise<T>, keys: CodecKey[] = [key]): Promise<T> {
  const server = createCodecServer({ codec: createCodec(keys), origins: [ui] });
  const url = await server.listen({ port: 0, host: '127.0.0.1' });
  try {
    return await work(url);
  } finally {
    await server.close();
  }
}

const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

test('encodes and decodes as the Web UI expects', async () => {
  await withServer(async (url) => {
    const encoded = (await (await post(`${url}/encode`, { payloads: [plain] })).json()) as {
      payloads: (typeof plain)[];
    };
    expect(encoded.payloads[0]?.metadata.encoding).toBe(base64('binary/encrypted'));
    const answer = await post(`${url}/decode`, encoded, { origin: ui, 'x-namespace': 'default' });
    expect(answer.headers.get('access-control-allow-origin')).toBe(ui);
    expect(await answer.json()).toEqual({ payloads: [plain] });
  });
});

test('preflight for the UI only', async () => {
  await withServer(async (url) => {
    const preflight = (origin: string) => fetch(`${url}/decode`, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } });
    const allowed = await preflight(ui);
    expect([allowed.status, allowed.headers.get('access-control-allow-headers')]).toEqual([204, 'content-type, x-namespace, authorization']);
    const refused = await preflight('https://evil.example');
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([403, null]);
    expect(await refused.json()).toMatchObject({ code: 'ORIGIN_NOT_ALLOWED' });
  });
});

test('a foreign host name (DNS rebinding) is refused', async () => {
  await withServer(async (url) => {
    const { port } = new URL(url);
    const status = await new Promise((resolve) => {
      request({ port, host: '127.0.0.1', path: '/healthz', headers: { host: `evil.example:${port}` } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      }).end();
    });
    expect(status).toBe(403);
  });
});

test('a missing key and a wrong body are answered in words', async () => {
  const encoded = await createCodec([key]).encode([{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('1') }]);
  const [sealed] = encoded.map(({ metadata, data }) => ({
    metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')])),
    data: Buffer.from(data ?? []).toString('base64'),
  }));
  await withServer(async (url) => {
    const answer = await post(`${url}/decode`, { payloads: [sealed] });
    expect([answer.status, await answer.json()]).toEqual([400, { code: 'NOT_DECODED', message: expect.stringContaining('SYNCLINE_CODEC_KEY is not set') }]);
    expect((await post(`${url}/decode`, { nothing: true })).status).toBe(400);
  }, []);
});

test('listens on the loopback address', async () => {
  const server = createCodecServer({ codec: createCodec(), origins: [] });
  await server.listen({ port: 0, host: '127.0.0.1' });
  expect((server.server.address() as AddressInfo).address).toBe('127.0.0.1');
  await server.close();
});
