import { createServer, request as httpRequest, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createReceiver, type Receiver, type ReceiverLimits } from '../receive';
import { acmeDelivery, acmeSecret, acmeSyncs, acmeUrl } from '../testing/acme';
import { createFakeInbox } from '../testing/fake-inbox';
import { nodeHandler, type NodeRequest } from './node';
import { webHandler } from './web';

const path = '/webhooks/things-to-crm';
const event = { id: '1', topic: 'thing.created' };

function setUp(limits: Partial<ReceiverLimits> = {}) {
  const inbox = createFakeInbox();
  return {
    inbox,
    receiver: createReceiver({ syncs: acmeSyncs, inbox, secrets: () => [acmeSecret], publicUrl: acmeUrl, limits }),
  };
}

async function serving<T>(listener: RequestListener, work: (url: string) => Promise<T>): Promise<T> {
  const server = createServer({ connectionsCheckingInterval: 50, requestTimeout: 500, headersTimeout: 400 }, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const servingNode = <T>(receiver: Receiver, work: (url: string) => Promise<T>): Promise<T> => {
  const handler = nodeHandler(receiver);
  return serving((request, response) => void handler(request, response), work);
};

const jsonOf = async (response: Response) => (await response.json()) as { code: string; next: string };

/** Sends chunk after chunk without a Content-Length until the answer is there. */
function stream(url: string, chunks: number): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: 'POST', headers: { 'content-type': 'application/json' } }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.on('error', reject);
    let left = chunks;
    const write = (): void => {
      if (left-- <= 0) return void request.end();
      request.write(Buffer.alloc(64 * 1024, 'x'), write);
    };
    write();
  });
}

describe('node', () => {
  test('takes a delivery', async () => {
    const { inbox, receiver } = setUp();
    await servingNode(receiver, async (url) => {
      const { headers, body } = await acmeDelivery(path, event);
      const response = await fetch(url + path, { method: 'POST', headers, body: new Uint8Array(body) });
      expect([response.status, response.headers.get('content-type')]).toEqual([202, 'application/json; charset=utf-8']);
      expect(await jsonOf(response)).toMatchObject({ code: 'ACCEPTED' });
    });
    expect(inbox.rows.size).toBe(1);
  });

  test('a body without Content-Length is cut off at the limit and answered', async () => {
    const { inbox, receiver } = setUp();
    await servingNode(receiver, async (url) => {
      const { status, body } = await stream(url + path, 48);
      expect([status, JSON.parse(body)]).toEqual([413, expect.objectContaining({ code: 'BODY_TOO_LARGE' })]);
    });
    expect(inbox.rows.size).toBe(0);
  });

  test('a body that never ends is answered, then disconnected', async () => {
    const { receiver } = setUp({ maxBodyBytes: 1000, bodyTimeoutMs: 100 });
    await servingNode(receiver, async (url) => {
      const outcome = await new Promise<{ status: number | undefined; closed: boolean }>((resolve) => {
        let status: number | undefined;
        const request = httpRequest(url + path, { method: 'POST', headers: { 'content-type': 'application/json' } }, (response) => {
          status = response.statusCode;
          response.resume();
        });
        const more = setInterval(() => request.write('x'.repeat(10)), 20);
        request.on('error', () => undefined);
        request.on('close', () => (clearInterval(more), resolve({ status, closed: true })));
      });
      expect(outcome).toEqual({ status: 408, closed: true });
    });
  });

  test('a connection that ends in the middle of a body leaves nothing behind', async () => {
    const { inbox, receiver } = setUp();
    const answers: number[] = [];
    const watched: Receiver = {
      ...receiver,
      receive: async (delivery) => {
        const answer = await receiver.receive(delivery);
        answers.push(answer.status);
        return answer;
      },
    };
    await servingNode(watched, async (url) => {
      await new Promise<void>((resolve) => {
        const headers = { 'content-type': 'application/json', 'content-length': '1000' };
        const request = httpRequest(url + path, { method: 'POST', headers });
        request.on('error', () => undefined).on('close', () => resolve());
        request.write('{"id":', () => request.destroy());
      });
      while (answers.length === 0) await new Promise((resolve) => setImmediate(resolve));
    });
    expect([answers, inbox.rows.size]).toEqual([[400], 0]);
  });

  test('repeated headers: the first counts', async () => {
    const { receiver } = setUp();
    await servingNode(receiver, async (url) => {
      const { headers, body } = await acmeDelivery(path, event);
      const signature = headers['x-acme-signature'] ?? '';
      const status = await new Promise((resolve, reject) => {
        const repeated = { ...headers, 'x-acme-signature': [signature, 'ff'] };
        const request = httpRequest(url + path, { method: 'POST', headers: repeated }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        request.on('error', reject).end(body);
      });
      expect(status).toBe(202);
    });
  });

  test('what a framework left: raw buffers are used, parsed bodies are an error that says what to do', async () => {
    const { receiver } = setUp();
    const handler = nodeHandler(receiver, { syncId: 'things-to-crm' });
    const { headers, body } = await acmeDelivery('/hooks/acme', event);
    const asFramework = (leave: (request: NodeRequest, raw: Buffer) => void): RequestListener => {
      return (request: NodeRequest, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => void chunks.push(chunk));
        request.on('end', () => {
          setImmediate(() => {
            leave(request, Buffer.concat(chunks));
            void handler(request, response);
          });
        });
      };
    };
    const post = (leave: (request: NodeRequest, raw: Buffer) => void) =>
      serving(asFramework(leave), async (url) => jsonOf(await fetch(`${url}/cut`, { method: 'POST', headers, body: new Uint8Array(body) })));

    const cutPath = (request: NodeRequest) => (request.originalUrl = '/hooks/acme');
    expect(await post((request, raw) => (cutPath(request), (request.body = raw)))).toMatchObject({ code: 'ACCEPTED' });
    expect(await post((request, raw) => (cutPath(request), (request.body = {}), (request.rawBody = raw)))).toMatchObject({
      code: 'DUPLICATE',
    });
    const parsed = await post((request, raw) => (request.body = JSON.parse(raw.toString())));
    expect(parsed.code).toBe('BODY_ALREADY_PARSED');
    expect(parsed.next).toContain('before express.json()');
  });
});

describe('web', () => {
  test('takes a Request, answers a Response', async () => {
    const { receiver } = setUp();
    const handler = webHandler(receiver);
    const { headers, body } = await acmeDelivery(path, event);
    const request = () => new Request(`http://localhost:3000${path}`, { method: 'POST', headers, body: new Uint8Array(body) });
    const response = await handler(request());
    expect([response.status, (await jsonOf(response)).code]).toEqual([202, 'ACCEPTED']);
    expect((await jsonOf(await handler(request()))).code).toBe('DUPLICATE');
  });

  test('a fixed route, a stream over the limit, a body that was read before', async () => {
    const { receiver } = setUp({ maxBodyBytes: 1000 });
    const handler = webHandler(receiver, { source: 'acme', account: 'shop' });
    const headers = { 'content-type': 'application/json' };
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled += 1;
        controller.enqueue(new Uint8Array(600));
      },
    });
    const large = new Request('http://localhost/any', { method: 'POST', headers, body: endless, duplex: 'half' });
    expect((await handler(large)).status).toBe(413);
    expect(pulled).toBeLessThan(6);

    const read = new Request('http://localhost/any', { method: 'POST', headers, body: '{}' });
    await read.text();
    expect((await jsonOf(await handler(read))).code).toBe('BODY_ALREADY_PARSED');
  });
});
