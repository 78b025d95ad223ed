import { createHash } from 'node:crypto';
import { decodeSignature, hmac, missing, verifyHmac } from '../hmac-signature';
import { headerOf, isoTime, joinId, objectAt, requiredHeader, type JsonObject } from '../webhook-delivery';
import type { RawRequest, WebhookSource } from '../webhook';

const SIGNATURE = 'x-shopify-hmac-sha256';
const TOPIC = 'x-shopify-topic';
const EVENT_ID = 'x-shopify-event-id';
const DELIVERY_ID = 'x-shopify-webhook-id';
const TRIGGERED_AT = 'x-shopify-triggered-at';

/**
 * Shopify's webhooks over HTTPS. Only the body is signed: topic, ids and `X-Shopify-Triggered-At` can be forged by whoever
 * replays a signed body, which is why the id holds a digest of it and the body's own time is preferred.
 */
export const shopify: WebhookSource = {
  kind: 'webhook-source',
  vendor: 'shopify',
  contentTypes: ['application/json'],

  verify(request, { secrets }) {
    const signature = headerOf(request, SIGNATURE);
    if (signature === undefined) return missing('X-Shopify-Hmac-Sha256');
    return verifyHmac({
      algorithm: 'sha256',
      keys: secrets,
      contents: [[request.body]],
      given: [decodeSignature(signature, 'base64')],
      header: 'X-Shopify-Hmac-Sha256',
    });
  },

  events(request, body) {
    const resource = objectAt('Shopify', 'body', body);
    return [
      {
        id: eventId(request),
        topic: requiredHeader('Shopify', request, TOPIC),
        occurredAt: changedAt(resource) ?? isoTime(headerOf(request, TRIGGERED_AT)),
        body,
      },
    ];
  },

  sign({ body, secret, now, topic, eventId }) {
    return {
      'content-type': 'application/json',
      [SIGNATURE]: hmac('sha256', secret, [body]).toString('base64'),
      [TOPIC]: topic,
      [EVENT_ID]: eventId,
      [DELIVERY_ID]: eventId,
      [TRIGGERED_AT]: new Date(now).toISOString(),
    };
  },
};

/**
 * "A unique ID shared across all deliveries from the same merchant action" (shopify.dev, webhooks, delivery structure, 2026):
 * one bulk edit can send many resources under one `X-Shopify-Event-Id` and one topic. The digest keeps them apart, while a
 * retry, which carries the original payload, and a second subscription to the topic still count as the same event.
 */
function eventId(request: RawRequest): string {
  const action = headerOf(request, EVENT_ID);
  if (action === undefined) return requiredHeader('Shopify', request, DELIVERY_ID);
  const digest = createHash('sha256').update(request.body).digest('hex').slice(0, 16);
  return joinId(requiredHeader('Shopify', request, TOPIC), action, digest);
}

/** Whole seconds, at Shopify: two changes within one have the same time, and go by arrival. */
function changedAt(resource: JsonObject): number | null {
  return isoTime(resource.updated_at) ?? isoTime(resource.created_at);
}
