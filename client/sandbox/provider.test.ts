import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { shopify } from '../../connectors/shopify/webhooks';
import { sendWebhook } from './provider';

const delivery = { source: shopify, path: '/webhooks/shop', topic: 'customers/update', eventId: 'e-1', body: { id: 1 }, secret: 'sandbox-secret' };

/** Answers with these statuses in turn, and keeps what verification said of each request. */
async function withGateway<T>(statuses: number[], work: (url: string, verdicts: boolean[]) => Promise<T>): Promise<T> {
  const verdicts: boolean[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const headers = request.headers as Record<string, string>;
      const raw = { method: 'POST', url: request.url ?? '', headers, body: Buffer.concat(chunks) };
      void Promise.resolve(shopify.verify(raw, { secrets: ['sandbox-secret'], now: Date.now() })).then(({ ok }) => verdicts.push(ok));
      const status = statuses.shift() ?? 202;
      if (status === 0) return request.socket.destroy();
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ code: `C${status}`, runs: [] }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, verdicts);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('what is not taken is sent again, signed, until it is', async () => {
  await withGateway([503, 0, 202], async (url, verdicts) => {
    expect(await sendWebhook(url, delivery)).toEqual({ status: 202, code: 'C202', tries: 3, runs: [] });
    expect(verdicts).toEqual([true, true, true]);
  });
});

test('a forger does not come back', async () => {
  await withGateway([401], async (url, verdicts) => {
    expect(await sendWebhook(url, { ...delivery, secret: 'a-guess' }, { maxTries: 1 })).toMatchObject({ status: 401, tries: 1 });
    expect(verdicts).toEqual([false]);
  });
});

test('nobody there is an answer too', async () => {
  expect(await sendWebhook('http://127.0.0.1:9', delivery, { maxTries: 1 })).toMatchObject({ status: 0, code: 'NO_ANSWER' });
});
