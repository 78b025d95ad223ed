import { checkAge, decodeSignature, hmac, missing, refuse, verifyHmac, wholeNumber } from '../hmac-signature';
import { headerOf, isoTime, objectAt, requiredHeader, textAt, unixTime } from '../webhook-delivery';
import type { WebhookSource } from '../webhook';

const SECRET_PREFIX = 'whsec_';

/** Any sender that follows the Standard Webhooks specification, with a symmetric (`v1`) signature. */
export const standardWebhooks = standardSource('standard-webhooks', 'Standard Webhooks', 'webhook');

/** The same scheme under Svix's own header names (`svix-id`, ...). A white-labelled Svix sender is `standardWebhooks`. */
export const svix = standardSource('svix', 'Svix', 'svix');

function standardSource(vendor: string, name: string, headers: 'webhook' | 'svix'): WebhookSource {
  const [ID, TIMESTAMP, SIGNATURE] = [`${headers}-id`, `${headers}-timestamp`, `${headers}-signature`];

  return {
    kind: 'webhook-source',
    vendor,
    contentTypes: ['application/json'],

    verify(request, { secrets, now }) {
      const [id, timestamp, signatures] = [ID, TIMESTAMP, SIGNATURE].map((header) => headerOf(request, header));
      if (signatures === undefined) return missing(SIGNATURE);
      if (id === undefined) return missing(ID);
      if (timestamp === undefined) return missing(TIMESTAMP);
      const seconds = wholeNumber(timestamp);
      if (seconds === null) return refuse('bad_signature', `${TIMESTAMP} is not a Unix time in seconds`);
      const keys = secrets.map(keyOf).filter((key) => key !== null);
      if (keys.length === 0) {
        return refuse('bad_signature', `no usable signing secret is configured (base64, with or without ${SECRET_PREFIX})`);
      }
      const verdict = verifyHmac({
        algorithm: 'sha256',
        keys,
        contents: [[`${id}.${timestamp}.`, request.body]],
        given: signatures
          .split(' ')
          .filter((item) => item.startsWith('v1,'))
          .map((item) => decodeSignature(item.slice(3), 'base64')),
        header: SIGNATURE,
      });
      return verdict.ok ? checkAge(seconds * 1000, now) : verdict;
    },

    events(request, body) {
      const event = objectAt(name, 'body', body);
      // The header's time is the attempt's, later with every retry; it stands in where the body has none.
      const attemptedAt = unixTime(wholeNumber(headerOf(request, TIMESTAMP) ?? ''), 1000);
      return [
        {
          id: requiredHeader(name, request, ID),
          topic: textAt(name, event, 'type'),
          occurredAt: isoTime(event.timestamp) ?? attemptedAt,
          body,
        },
      ];
    },

    sign({ body, secret, now, eventId }) {
      const key = keyOf(secret);
      if (key === null) throw new Error(`${name}: the signing secret must be base64, with or without ${SECRET_PREFIX}`);
      const seconds = Math.floor(now / 1000);
      const signature = hmac('sha256', key, [`${eventId}.${seconds}.`, body]).toString('base64');
      return {
        'content-type': 'application/json',
        [ID]: eventId,
        [TIMESTAMP]: String(seconds),
        [SIGNATURE]: `v1,${signature}`,
      };
    },
  };
}

/** Signing key of a secret; null when it isn't base64. */
function keyOf(secret: string): Buffer | null {
  return decodeSignature(secret.startsWith(SECRET_PREFIX) ? secret.slice(SECRET_PREFIX.length) : secret, 'base64');
}
