import type { Json } from '../../schemas/json';
import { UnreadableDelivery, type RawRequest } from '../webhook';
import { github } from './webhooks';

const request = (headers: Record<string, string>, body = ''): RawRequest => ({
  method: 'POST',
  url: 'https://hooks.example.com/webhooks/github',
  headers,
  body: Buffer.from(body),
});

// docs.github.com, validating webhook deliveries: "Testing the webhook payload validation".
it('agrees with the published example', async () => {
  const secret = "It's a Secret to Everybody";
  const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
  const delivery = {
    method: 'POST',
    url: '',
    body: Buffer.from('Hello, World!'),
    secret,
    now: 0,
    topic: 'push',
    eventId: 'guid',
  };
  expect(await github.sign(delivery)).toMatchObject({ 'x-hub-signature-256': signature });
  const signed = request({ 'x-hub-signature-256': signature }, 'Hello, World!');
  expect(github.verify(signed, { secrets: [secret], now: 0 })).toEqual({ ok: true });
});

it.each(['757107', 'SHA256=757107', 'sha1=757107', 'sha256=', 'sha256=75-71-07', 'xsha256=757107'])('refuses the form %s', (value) => {
  const verdict = github.verify(request({ 'x-hub-signature-256': value }), { secrets: ['s'], now: 0 });
  expect(verdict).toMatchObject({
    reason: 'bad_signature',
    detail: 'X-Hub-Signature-256 holds no readable signature',
  });
});

const eventOf = (event: string, body: Json) =>
  github.events(request({ 'x-github-event': event, 'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958' }), body)[0];

it.each<[string, Json, string, string | null]>([
  ['star', { action: 'created', starred_at: '2026-09-28T15:30:00Z' }, 'star.created', '2026-09-28T15:30:00Z'],
  ['star', { action: 'deleted', starred_at: null }, 'star.deleted', null],
  ['issues', { action: 'opened', issue: { updated_at: '2026-09-28T15:30:00Z' } }, 'issues.opened', '2026-09-28T15:30:00Z'],
  ['issue_comment', { action: 'edited', comment: { updated_at: '2026-09-28T15:30:00Z' } }, 'issue_comment.edited', '2026-09-28T15:30:00Z'],
  ['push', { ref: 'refs/heads/main', head_commit: { timestamp: '2026-09-28T15:30:00Z' } }, 'push', null],
  ['ping', { zen: 'Design for failure.' }, 'ping', null],
  ['constructor', {}, 'constructor', null],
])('reads %s %j', (event, body, topic, time) => {
  expect(eventOf(event, body)).toEqual({
    id: '72d3162e-cc78-11e3-81ab-4c9367dc0958',
    topic,
    occurredAt: time === null ? null : Date.parse(time),
    body,
  });
});

it.each([
  [{ 'x-github-delivery': 'd' }, {}, 'GitHub: expected a header x-github-event, got none'],
  [{ 'x-github-event': 'push' }, {}, 'GitHub: expected a header x-github-delivery, got none'],
  [{ 'x-github-event': 'push', 'x-github-delivery': 'd' }, 'text', 'GitHub: expected an object at body, got text'],
])('refuses %j %j', (headers, body, message) => {
  expect(() => github.events(request(headers as Record<string, string>), body)).toThrow(new UnreadableDelivery(message));
});

it('sends the event name without the action, as GitHub does', async () => {
  const delivery = {
    method: 'POST',
    url: '',
    body: Buffer.from('{}'),
    secret: 's',
    now: 0,
    topic: 'star.created',
    eventId: 'guid',
  };
  expect(await github.sign(delivery)).toMatchObject({ 'x-github-event': 'star', 'x-github-delivery': 'guid' });
});
