import { createHash } from 'node:crypto';
import type { Json } from '../../schemas/json';
import { checkAge, decodeSignature, hmac, missing, refuse, verifyHmac, wholeNumber } from '../hmac-signature';
import { headerOf, isoTime, requiredHeader, unixTime, unreadable, valueAt } from '../webhook-delivery';
import type { RawRequest, SignableDelivery, WebhookSource } from '../webhook';
import { parseGenericHmac, type GenericHmac, type GenericHmacConfig } from './config';

/**
 * A source that signs with an HMAC in a header, described by data. One delivery is one event. Throws on a bad configuration,
 * naming every problem.
 */
export function genericHmac(input: GenericHmacConfig): WebhookSource {
  const config = parseGenericHmac(input);
  return {
    kind: 'webhook-source',
    vendor: config.vendor,
    contentTypes: ['application/json'],

    verify(request, { secrets, now }) {
      const signature = headerOf(request, config.header);
      if (signature === undefined) return missing(config.header);
      const absent = signedHeaders(config).find((name) => headerOf(request, name) === undefined);
      if (absent !== undefined) return missing(absent);
      const verdict = verifyHmac({
        algorithm: config.algorithm,
        keys: secrets,
        contents: [signedContent(config, request)],
        given: [signature.startsWith(config.prefix) ? decodeSignature(signature.slice(config.prefix.length), config.encoding) : null],
        header: config.header,
      });
      if (!verdict.ok || config.timestampHeader === undefined) return verdict;
      const signedAt = wholeNumber(headerOf(request, config.timestampHeader) ?? '');
      if (signedAt === null) return refuse('bad_signature', `${config.timestampHeader} is not a Unix time in ${config.timestampUnit}`);
      return checkAge(signedAt * unitMs(config), now, config.toleranceMs);
    },

    events(request, body) {
      const id = read(config, 'event id', config.eventId, request, body);
      return [
        {
          id: createHash('sha256').update(id).digest('hex'),
          topic: 'constant' in config.topic ? config.topic.constant : read(config, 'topic', config.topic, request, body),
          occurredAt: occurredAt(config, body),
          body,
        },
      ];
    },

    sign: (delivery) => signedBy(config, delivery),
  };
}

function signedHeaders({ signed, timestampHeader }: GenericHmac): string[] {
  return signed.flatMap((part) => {
    if (!('name' in part) || ['body', 'method', 'url'].includes(part.name)) return [];
    return part.name === 'timestamp' && timestampHeader !== undefined ? [timestampHeader] : [part.name];
  });
}

function signedContent(config: GenericHmac, request: RawRequest): (string | Buffer)[] {
  return config.signed.map((part) => {
    if ('text' in part) return part.text;
    if (part.name === 'body') return request.body;
    if (part.name === 'method') return request.method.toUpperCase();
    if (part.name === 'url') return request.url;
    const header = part.name === 'timestamp' && config.timestampHeader !== undefined ? config.timestampHeader : part.name;
    return headerOf(request, header) ?? '';
  });
}

type Place = Exclude<GenericHmac['topic'], { constant: string }>;

function read(config: GenericHmac, what: string, place: Place, request: RawRequest, body: Json): string {
  if ('header' in place) return requiredHeader(config.vendor, request, place.header);
  const value = valueAt(body, place.field);
  if (typeof value === 'number' || (typeof value === 'string' && value !== '')) return String(value);
  throw unreadable(config.vendor, place.field, `text or a number (the ${what})`, value);
}

/** Absent or null: the event has no time. Present but unreadable is refused, since a wrong time decides what overwrites what. */
function occurredAt({ vendor, occurredAt }: GenericHmac, body: Json): number | null {
  if (occurredAt === undefined) return null;
  const { field, unit } = occurredAt;
  const value = valueAt(body, field);
  if (value === undefined || value === null) return null;
  const time = unit === 'iso' ? isoTime(value) : unixTime(value, unit === 's' ? 1000 : 1);
  if (time !== null) return time;
  throw unreadable(vendor, field, unit === 'iso' ? 'an ISO 8601 time with its zone' : `a Unix time in ${unit}`, value);
}

function unitMs({ timestampUnit }: GenericHmac): number {
  return timestampUnit === 's' ? 1000 : 1;
}

function signedBy(config: GenericHmac, { method, url, body, secret, now, topic, eventId }: SignableDelivery): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  for (const name of signedHeaders(config)) headers[name] = 'sample';
  if ('header' in config.topic) headers[config.topic.header] = topic;
  if ('header' in config.eventId) headers[config.eventId.header] = eventId;
  if (config.timestampHeader !== undefined) headers[config.timestampHeader] = String(Math.floor(now / unitMs(config)));
  const content = signedContent(config, { method, url, headers, body });
  headers[config.header] = config.prefix + hmac(config.algorithm, secret, content).toString(config.encoding);
  return headers;
}
