import { decodeSignature, hmac, missing, verifyHmac } from '../hmac-signature';
import { headerOf, isoTime, objectAt, requiredHeader, valueAt } from '../webhook-delivery';
import type { WebhookSource } from '../webhook';

const SIGNATURE = 'x-hub-signature-256';
const EVENT = 'x-github-event';
const DELIVERY = 'x-github-delivery';
const PREFIX = 'sha256=';

/** Where an event's payload documents the time of the change. All others have none, and go by arrival. */
const TIME_FIELDS: Readonly<Record<string, string>> = {
  discussion: 'discussion.updated_at',
  issue_comment: 'comment.updated_at',
  issues: 'issue.updated_at',
  pull_request: 'pull_request.updated_at',
  star: 'starred_at',
};

/**
 * GitHub's webhooks with content type `application/json` and a secret. Event name and delivery id are not signed. The SHA-1
 * `X-Hub-Signature` that GitHub also sends is ignored.
 */
export const github: WebhookSource = {
  kind: 'webhook-source',
  vendor: 'github',
  contentTypes: ['application/json'],

  verify(request, { secrets }) {
    const header = headerOf(request, SIGNATURE);
    if (header === undefined) return missing('X-Hub-Signature-256');
    return verifyHmac({
      algorithm: 'sha256',
      keys: secrets,
      contents: [[request.body]],
      given: [header.startsWith(PREFIX) ? decodeSignature(header.slice(PREFIX.length), 'hex') : null],
      header: 'X-Hub-Signature-256',
    });
  },

  events(request, body) {
    const payload = objectAt('GitHub', 'body', body);
    const event = requiredHeader('GitHub', request, EVENT);
    const timeField = Object.hasOwn(TIME_FIELDS, event) ? TIME_FIELDS[event] : undefined;
    return [
      {
        id: requiredHeader('GitHub', request, DELIVERY), // the same when redelivered
        topic: typeof payload.action === 'string' ? `${event}.${payload.action}` : event,
        occurredAt: timeField === undefined ? null : isoTime(valueAt(payload, timeField)),
        body,
      },
    ];
  },

  sign({ body, secret, topic, eventId }) {
    return {
      'content-type': 'application/json',
      [SIGNATURE]: PREFIX + hmac('sha256', secret, [body]).toString('hex'),
      [EVENT]: topic.split('.')[0] ?? topic, // the rest is the body's `action`
      [DELIVERY]: eventId,
    };
  },
};
