import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Json } from '../../schemas/json';
import { UnreadableDelivery, type RawRequest } from '../webhook';
import { shopify } from './webhooks';

const sample = readFileSync(path.join(__dirname, 'fixtures/webhook.json'));
const ACTION = '98880550-7158-44d4-b7cd-2c97c8a091b5';

const requestWith = (body: Buffer, headers: Record<string, string> = {}): RawRequest => ({
  method: 'POST',
  url: 'https://hooks.example.com/webhooks/shop',
  headers: {
    'x-shopify-topic': 'customers/update',
    'x-shopify-event-id': ACTION,
    'x-shopify-webhook-id': 'delivery-1',
    ...headers,
  },
  body,
});

const eventOf = (body: string | Buffer, headers?: Record<string, string>) => {
  const bytes = Buffer.from(body);
  return shopify.events(requestWith(bytes, headers), JSON.parse(bytes.toString()) as Json)[0]!;
};

it('names an event by topic, merchant action and content', () => {
  expect(eventOf(sample)).toEqual({
    id: expect.stringMatching(/^customers\/update~98880550-7158-44d4-b7cd-2c97c8a091b5~[0-9a-f]{16}$/),
    topic: 'customers/update',
    occurredAt: Date.parse('2026-09-28T15:30:00Z'),
    body: JSON.parse(sample.toString()),
  });
});

it('counts a retry and a second subscription to the topic as the same event', () => {
  const first = eventOf(sample);
  expect(eventOf(sample, { 'x-shopify-webhook-id': 'delivery-2', 'x-shopify-triggered-at': '2026-09-28T19:00:00Z' }).id).toBe(first.id);
});

it('keeps the customers of one bulk edit apart, which share an event id and a topic', () => {
  const ids = [1, 2, 3].map((id) => eventOf(JSON.stringify({ id, updated_at: '2026-09-28T15:30:00Z' })).id);
  expect(new Set(ids).size).toBe(3);
});

it('keeps two topics of one action apart', () => {
  expect(eventOf(sample, { 'x-shopify-topic': 'customers/create' }).id).not.toBe(eventOf(sample).id);
});

it('falls back to the delivery id where there is no event id', () => {
  expect(eventOf(sample, { 'x-shopify-event-id': '' }).id).toBe('delivery-1');
});

it.each([
  [{ updated_at: '2026-09-28T15:30:00Z', created_at: '2026-01-01T00:00:00Z' }, '2026-09-28T15:30:00Z'],
  [{ created_at: '2026-01-01T00:00:00Z' }, '2026-01-01T00:00:00Z'],
  [{ updated_at: null, created_at: 'yesterday' }, '2026-09-28T15:31:00Z'],
  [{ id: 1 }, '2026-09-28T15:31:00Z'],
])('takes the time from the signed body if it can: %j', (body, expected) => {
  const event = eventOf(JSON.stringify(body), { 'x-shopify-triggered-at': '2026-09-28T15:31:00Z' });
  expect(event.occurredAt).toBe(Date.parse(expected));
});

it('has no time where Shopify says none', () => {
  expect(eventOf('{"id":1}').occurredAt).toBeNull();
});

it.each([
  [{ 'x-shopify-topic': '' }, '{}', 'Shopify: expected a header x-shopify-topic, got none'],
  [{ 'x-shopify-event-id': '', 'x-shopify-webhook-id': '' }, '{}', 'Shopify: expected a header x-shopify-webhook-id, got none'],
  [{}, '[1]', 'Shopify: expected an object at body, got an array'],
])('refuses what can not be an event: %j %s', (headers, body, message) => {
  expect(() => eventOf(body, headers as Record<string, string>)).toThrow(new UnreadableDelivery(message));
});
