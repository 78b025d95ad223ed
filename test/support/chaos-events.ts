import { createHash } from 'node:crypto';
import { seededRandom } from '../../connectors/simulator/random';
import type { ProviderEvent } from './chaos-provider';

/** The seed of everything random in a test; printed with its figures. */
export const testSeed = Number(process.env.SYNCLINE_TEST_SEED ?? 20_261_122);

/** Source times lie before the test: arrival must never be what orders them by chance. */
const epoch = Date.parse('2026-11-01T00:00:00Z');

export interface EventMix {
  count: number;
  contacts: number;
  seed: number;
}

/** Contacts that the simulated vendor is told to refuse. */
export const refusedKeys = ['refused-0@example.com', 'refused-1@example.com'];

/**
 * A shop's day, the same for the same seed: customers new and updated, half of the updates out of order; orders; billing events
 * of which some share a second; sign-ups, one a person. In every fifty there are a customer without an e-mail, an order that
 * breaks its contract, and a contact that the vendor refuses.
 */
export function eventMix({ count, contacts, seed }: EventMix): ProviderEvent[] {
  const random = seededRandom(seed);
  const pick = (below: number) => Math.floor(random() * below);
  const signedUp = new Set<number>();
  let lastBilled = 0;
  const events = Array.from({ length: count }, (_, n): ProviderEvent => {
    const contact = pick(contacts);
    const email = `contact-${contact}@example.com`;
    const kind = n % 50;
    if (kind === 7) return customer(n, null, n, { expect: 'skipped', key: null, properties: {} });
    if (kind === 23) return { ...order(n, email, n), body: { ...orderBody(n, email, n), total_price: 12.5 }, expected: nothing(n, 'invalid') };
    if (kind === 41) return customer(n, refusedKeys[pick(2)] ?? '', n, { expect: 'rejected' });
    if (kind % 10 < 4) return customer(n, email, n);
    if (kind % 10 < 6) return order(n, email, n);
    if (kind % 10 === 6) lastBilled = contact;
    // Half of the pairs are of one customer in one second: they go by arrival.
    if (kind % 10 < 8) return billing(n, kind % 10 === 7 && random() < 0.5 ? `contact-${lastBilled}@example.com` : email, n - (n % 2));
    if (signedUp.has(contact)) return customer(n, email, n);
    signedUp.add(contact);
    return signup(n, email, contact, n);
  });
  return outOfOrder(events, random);
}

/** Half of the events move up to ten places: what is newer at the source comes in first. */
function outOfOrder(events: ProviderEvent[], random: () => number): ProviderEvent[] {
  const place = events.map((event, index) => ({ event, at: index + (random() < 0.5 ? random() * 20 - 10 : 0) }));
  return place.sort((a, b) => a.at - b.at).map(({ event }) => event);
}

const timeOf = (second: number) => epoch + second * 1_000;
const iso = (second: number) => new Date(timeOf(second)).toISOString();
const nothing = (second: number, expect: 'skipped' | 'invalid') => ({ key: null, at: timeOf(second), properties: {}, expect });

/** A customer as the shop knows it at that second. Every third has a phone number, so that newer events don't write all fields. */
export function customer(n: number, email: string | null, second: number, expected: Partial<ProviderEvent['expected']> = {}): ProviderEvent {
  const phone = n % 3 === 0 ? `+1555${String(n).padStart(7, '0')}` : null;
  const properties = { firstname: `First-${n}`, lastname: `Last-${n}`, ...(phone ? { phone } : {}) };
  return {
    from: 'shopify',
    syncId: 'shop-customer-to-crm',
    topic: n % 2 === 0 ? 'customers/update' : 'customers/create',
    eventId: `shop-${n}`,
    body: { id: 1_000 + n, email, first_name: properties.firstname, last_name: properties.lastname, phone, tags: '', updated_at: iso(second) },
    expected: { key: email, at: timeOf(second), properties, expect: 'landed', ...expected },
  };
}

function orderBody(n: number, email: string, second: number): Record<string, unknown> {
  return { id: 5_000 + n, name: `#${n}`, email, total_price: `${n}.50`, currency: 'USD', created_at: iso(second) };
}

export function order(n: number, email: string, second: number): ProviderEvent {
  const properties = { last_order_name: `#${n}`, last_order_total: `${n}.50`, last_order_date: iso(second).slice(0, 10) };
  return {
    from: 'shopify',
    syncId: 'shop-order-to-crm',
    topic: 'orders/create',
    eventId: `shop-${n}`,
    body: orderBody(n, email, second),
    expected: { key: email, at: timeOf(second), properties, expect: 'landed' },
  };
}

export function billing(n: number, email: string, second: number): ProviderEvent {
  const delinquent = n % 5 === 0;
  return {
    from: 'stripe',
    syncId: 'billing-customer-to-crm',
    topic: n % 2 === 0 ? 'customer.updated' : 'customer.created',
    eventId: `evt_${n}`,
    body: {
      id: `evt_${n}`,
      type: n % 2 === 0 ? 'customer.updated' : 'customer.created',
      created: timeOf(second) / 1_000,
      data: { object: { id: `cus_${n}`, email, name: `Name ${n}`, delinquent } },
    },
    expected: { key: email, at: timeOf(second), properties: { stripe_customer_id: `cus_${n}`, billing_delinquent: String(delinquent) }, expect: 'landed' },
  };
}

function signup(n: number, email: string, contact: number, second: number): ProviderEvent {
  const customerId = `c-${contact}`;
  return {
    from: 'site',
    syncId: 'signup-to-crm',
    topic: 'signup.completed',
    eventId: `msg_${n}`,
    body: { type: 'signup.completed', timestamp: iso(second), data: { customer_id: customerId, email, company: `Company ${n}` } },
    expected: { key: email, at: timeOf(second), properties: { company: `Company ${n}` }, optional: { lead_score: scoreOf(customerId) }, expect: 'landed' },
  };
}

/** What the simulated scoring service says of a customer. */
function scoreOf(customerId: string): string {
  return String(createHash('sha256').update(customerId).digest()[0]! % 101);
}
