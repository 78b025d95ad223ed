/** Process: the least that acknowledges durably. Reads the raw body, verifies the same signature, inserts one row, says 200. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'pg';

const secret = process.env.SYNCLINE_SHOPIFY_SHOP_WEBHOOK_SECRET ?? '';

async function main(): Promise<void> {
  const pool = new Pool({ connectionString: process.env.SYNCLINE_DATABASE_URL });
  await pool.query(`create table bare_inbox (
    id bigint generated always as identity primary key, event_id text not null unique, topic text not null, body bytea not null, received_at timestamptz not null default now())`);
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const { 'x-shopify-hmac-sha256': given, 'x-shopify-event-id': eventId, 'x-shopify-topic': topic } = request.headers;
      const signature = Buffer.from(String(given), 'base64');
      const expected = createHmac('sha256', secret).update(body).digest();
      const answer = (status: number, text: string): void => void response.writeHead(status, { 'content-length': text.length }).end(text);
      if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) return answer(401, 'bad signature');
      pool.query('insert into bare_inbox (event_id, topic, body) values ($1, $2, $3) on conflict do nothing', [eventId, topic, body]).then(
        () => answer(200, 'ok'),
        () => answer(503, 'try again'),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ ready: true, name: 'bare', port, url: `http://127.0.0.1:${port}` })}\n`);
  process.once('SIGTERM', () => process.exit(0));
}

void main();
