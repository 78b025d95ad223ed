import type { Json } from '../../schemas/json';
import { checkAge, decodeSignature, hmac, missing, refuse, verifyHmac, wholeNumber } from '../hmac-signature';
import { headerOf, joinId, objectAt, textAt, unixTime, unreadable, type JsonObject } from '../webhook-delivery';
import type { ExtractedEvent, WebhookSource } from '../webhook';

const SIGNATURE = 'x-hubspot-signature-v3';
const TIMESTAMP = 'x-hubspot-request-timestamp';

/**
 * HubSpot's app webhooks (CRM subscriptions), signature v3. The older signatures HubSpot sends beside it (v1, v2: plain
 * hashes without a time) are ignored. A delivery is an array of up to 100 events.
 */
export const hubspotWebhooks: WebhookSource = {
  kind: 'webhook-source',
  vendor: 'hubspot',
  contentTypes: ['application/json'],

  verify(request, { secrets, now }) {
    const signature = headerOf(request, SIGNATURE);
    const timestamp = headerOf(request, TIMESTAMP);
    if (signature === undefined) return missing('X-HubSpot-Signature-v3');
    if (timestamp === undefined) return missing('X-HubSpot-Request-Timestamp');
    const signedAt = wholeNumber(timestamp);
    if (signedAt === null) return refuse('bad_signature', 'X-HubSpot-Request-Timestamp is not a Unix time in milliseconds');
    // HubSpot's page says to decode, its four SDKs don't: take either.
    const urls = [...new Set([decodeForSignature(request.url), request.url])];
    const verdict = verifyHmac({
      algorithm: 'sha256',
      keys: secrets,
      contents: urls.map((url) => [request.method.toUpperCase(), url, request.body, timestamp]),
      given: [decodeSignature(signature, 'base64')],
      header: 'X-HubSpot-Signature-v3',
    });
    return verdict.ok ? checkAge(signedAt, now) : verdict;
  },

  events(_request, body) {
    if (!Array.isArray(body)) throw unreadable('HubSpot', 'body', 'an array of events', body);
    return body.map((event, index) => eventOf(event, `event ${index + 1} of ${body.length}`));
  },

  sign({ method, url, body, secret, now }) {
    const signature = hmac('sha256', secret, [method.toUpperCase(), decodeForSignature(url), body, String(now)]);
    return { 'content-type': 'application/json', [SIGNATURE]: signature.toString('base64'), [TIMESTAMP]: String(now) };
  },
};

/**
 * "In the request URI, decode any of the URL-encoded characters listed" (developers.hubspot.com, request validation):
 * `: / ? @ ! $ ' ( ) * , ;`. Everything else stays as it came.
 */
const DECODED = /%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gi;

function decodeForSignature(url: string): string {
  return url.replace(DECODED, (code) => decodeURIComponent(code));
}

/**
 * Tell apart notifications that agree in all of the id's first five parts, since `eventId` "is not guaranteed to be unique":
 * generic `object.*` events name the type of object here, associations their two ends in place of `objectId`.
 */
const DISTINGUISHING = ['objectTypeId', 'propertyName', 'fromObjectId', 'toObjectId', 'associationType', 'messageId'];

function eventOf(value: Json, where: string): ExtractedEvent {
  const source = `HubSpot, ${where}`;
  const event = objectAt(source, 'its place', value);
  const topic = textAt(source, event, 'subscriptionType');
  const occurredAt = unixTime(event.occurredAt, 1);
  if (occurredAt === null) throw unreadable(source, 'occurredAt', 'a Unix time in milliseconds', event.occurredAt);
  const isAssociation = known(event.fromObjectId) && known(event.toObjectId);
  const id = joinId(
    idPart(source, event, 'portalId'),
    topic,
    isAssociation && !known(event.objectId) ? '' : idPart(source, event, 'objectId'),
    idPart(source, event, 'eventId'),
    occurredAt,
    ...DISTINGUISHING.map((field) => event[field]).filter(known),
  );
  return { id, topic, occurredAt, body: event };
}

function idPart(source: string, event: JsonObject, field: string): string | number {
  const value = event[field];
  if (known(value)) return value;
  throw unreadable(source, field, 'a number or text', value);
}

function known(value: Json | undefined): value is string | number {
  return typeof value === 'number' || (typeof value === 'string' && value !== '');
}
