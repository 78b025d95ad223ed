import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { UnreadableDelivery, type WebhookSource } from '../../connectors/webhook';
import { defineContract } from '../../schemas/contract';
import type { Json } from '../../schemas/json';
import { sourceAccount, type VendorAccount, vendorAccount } from '../../syncs/accounts-api';
import { defineSync, type Destination, type Sync, to, webhook } from '../../syncs/define-sync';

/** A made-up provider and destination, for tests of what does not depend on any real one. */
export const acmeSecret = 'acme-signing-secret';

const toleranceMs = 300_000;

/** Signs `<seconds>.<url>.<body>`; sends one event or an array of them. */
export const acme: WebhookSource = {
  kind: 'webhook-source',
  vendor: 'acme',
  contentTypes: ['application/json'],
  verify: ({ headers, url, body }, { secrets, now }) => {
    const signature = headers['x-acme-signature'];
    const at = headers['x-acme-at'] ?? '';
    if (signature === undefined) return { ok: false, reason: 'missing_signature', detail: 'no X-Acme-Signature header' };
    const given = Buffer.from(signature, 'hex');
    const matches = secrets.some((secret) => {
      const expected = mac(secret, at, url, body);
      return given.length === expected.length && timingSafeEqual(given, expected);
    });
    if (!matches) return { ok: false, reason: 'bad_signature', detail: 'X-Acme-Signature does not match' };
    if (Math.abs(now - Number(at)) > toleranceMs) return { ok: false, reason: 'stale', detail: 'X-Acme-At is more than 300 s off' };
    return { ok: true };
  },
  events: (_request, body) => (Array.isArray(body) ? body : [body]).map(acmeEvent),
  sign: ({ url, body, secret, now }) => ({
    'content-type': 'application/json',
    'x-acme-at': String(now),
    'x-acme-signature': mac(secret, String(now), url, body).toString('hex'),
  }),
};

function mac(secret: string, at: string, url: string, body: Buffer): Buffer {
  return createHmac('sha256', secret).update(`${at}.${url}.`).update(body).digest();
}

function acmeEvent(body: Json) {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new UnreadableDelivery('acme: expected objects in the body');
  const { id, topic } = body;
  return {
    id: typeof id === 'string' ? id : '',
    topic: typeof topic === 'string' ? topic : '',
    occurredAt: null,
    body,
  };
}

/** The address the deliveries are signed for. */
export const acmeUrl = 'https://hooks.example.com';

/** Headers and body of a delivery to `path`. */
export async function acmeDelivery(
  path: string,
  events: Json,
  options: { secret?: string; now?: number } = {},
): Promise<{ headers: Record<string, string>; body: Buffer }> {
  const body = Buffer.from(JSON.stringify(events));
  const { secret = acmeSecret, now = Date.now() } = options;
  const headers = await acme.sign({ method: 'POST', url: acmeUrl + path, body, secret, now, topic: '', eventId: '' });
  return { headers, body };
}

const contract = defineContract({
  name: 'acme.thing',
  version: 1,
  owner: 'tests',
  description: 'A thing.',
  schema: z.object({ id: z.string() }),
});

const connector: VendorAccount['connector'] = {
  kind: 'connector',
  vendor: 'crm',
  baseUrl: 'https://crm.example.com',
  credentials: [],
  plans: [],
  limits: () => [],
  auth: () => ({}),
  errorFrom: () => {
    throw new Error('not called in these tests');
  },
  limitReadings: () => [],
};
const crm = vendorAccount(connector, { name: 'main' });

const write: Destination<{ id: string }>['operation'] = {
  kind: 'operation',
  connector,
  name: 'things.write',
  object: 'thing',
  maxBatch: 1,
  maxBatchBytes: 1024 * 1024,
  resend: 'safe',
  input: z.object({ id: z.string() }),
  key: (input) => input.id,
  fields: () => ['id'],
  without: () => null,
  send: () => Promise.resolve([]),
};

export const acmeShop = sourceAccount(acme, { name: 'shop' });
const acmeOther = sourceAccount(acme, { name: 'other' });

function thing(id: string, on: Sync['on']): Sync {
  return defineSync({ id, owner: 'tests', on, contract, to: to(write, { account: crm }), map: (event) => event });
}

/** Two syncs of one account share a topic; a third has another account. */
export const acmeSyncs: Sync[] = [
  thing('things-to-crm', webhook(acmeShop, 'thing.created', 'thing.updated')),
  thing('new-things-to-ads', webhook(acmeShop, 'thing.created')),
  thing('other-things', webhook(acmeOther, 'thing.created')),
];
