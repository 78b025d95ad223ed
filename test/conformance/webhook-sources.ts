import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { genericHmac } from '../../connectors/generic/webhooks';
import type { WebhookSource } from '../../connectors/webhook';

// Every source in connectors/*/webhooks.ts is found and tested by itself; a new vendor needs fixtures/webhook.json only.

/** One source under test. */
export interface Subject {
  name: string;
  source: WebhookSource;
  body: Buffer;
  /** Folder with the README whose openssl line signs by hand. */
  folder?: string;
}

const CONNECTORS = path.join(__dirname, '../../connectors');
function discovered(): Subject[] {
  return readdirSync(CONNECTORS).flatMap((folder) => {
    const file = path.join(CONNECTORS, folder, 'webhooks.ts');
    if (!existsSync(file)) return [];
    const exported = Object.values(jest.requireActual<Record<string, unknown>>(file));
    return exported.filter(isSource).map((source) => ({
      name: source.vendor,
      source,
      body: readFileSync(path.join(CONNECTORS, folder, 'fixtures/webhook.json')),
      folder: path.join(CONNECTORS, folder),
    }));
  });
}

function isSource(value: unknown): value is WebhookSource {
  return typeof value === 'object' && value !== null && (value as WebhookSource).kind === 'webhook-source';
}

/** Vendors the generic source is meant for, as vendors.md §3.1 describes them. */
const configured: Subject[] = [
  {
    source: genericHmac({
      vendor: 'typeform',
      header: 'Typeform-Signature',
      prefix: 'sha256=',
      algorithm: 'sha256',
      encoding: 'base64',
      signed: '{body}',
      eventId: { field: 'event_id' },
      topic: { field: 'event_type' },
      occurredAt: { field: 'form_response.submitted_at', unit: 'iso' },
    }),
    body: '{"event_id":"01H","event_type":"form_response","form_response":{"submitted_at":"2026-09-28T15:30:00Z"}}',
  },
  {
    source: genericHmac({
      vendor: 'klaviyo-events',
      header: 'Klaviyo-Signature',
      algorithm: 'sha256',
      encoding: 'hex',
      signed: '{body}{timestamp}',
      timestampHeader: 'Klaviyo-Timestamp',
      timestampUnit: 's',
      eventId: { field: 'data.0.external_id' },
      topic: { field: 'data.0.topic' },
    }),
    body: '{"data":[{"external_id":"7f","topic":"event:klaviyo.sent_sms"}]}',
  },
  {
    source: genericHmac({
      vendor: 'customer-io',
      header: 'X-CIO-Signature',
      algorithm: 'sha256',
      encoding: 'hex',
      signed: 'v0:{timestamp}:{body}',
      timestampHeader: 'X-CIO-Timestamp',
      timestampUnit: 's',
      eventId: { field: 'event_id' },
      topic: { field: 'metric' },
      occurredAt: { field: 'timestamp', unit: 's' },
    }),
    body: '{"event_id":"01E4","object_type":"email","metric":"sent","timestamp":1790609400}',
  },
  {
    source: genericHmac({
      vendor: 'intercom',
      header: 'X-Hub-Signature',
      prefix: 'sha1=',
      algorithm: 'sha1',
      encoding: 'hex',
      signed: '{body}',
      eventId: { field: 'id' },
      topic: { field: 'topic' },
      occurredAt: { field: 'created_at', unit: 's' },
    }),
    body: '{"id":"notif_1","topic":"contact.created","created_at":1790609400}',
  },
  {
    source: genericHmac({
      vendor: 'everything-signed',
      header: 'X-Signature',
      algorithm: 'sha512',
      encoding: 'base64',
      signed: '{method} {url} {x-event-id} {x-topic} {timestamp} {body}',
      timestampHeader: 'X-Timestamp',
      timestampUnit: 'ms',
      eventId: { header: 'X-Event-Id' },
      topic: { header: 'X-Topic' },
    }),
    body: '[{"any":"thing"}]',
  },
  {
    source: genericHmac({
      vendor: 'readme',
      header: 'X-Signature',
      algorithm: 'sha256',
      encoding: 'hex',
      signed: '{timestamp}.{body}',
      timestampHeader: 'X-Timestamp',
      timestampUnit: 's',
      eventId: { field: 'id' },
      topic: { constant: 'anything' },
    }),
    body: '{"id":1}',
    folder: path.join(CONNECTORS, 'generic'),
  },
].map(({ body, ...subject }) => ({ ...subject, name: `generic: ${subject.source.vendor}`, body: Buffer.from(body) }));

/** All of them. */
export const subjects: readonly Subject[] = [...discovered(), ...configured];
