import { shopify } from '../../connectors/shopify/webhooks';
import { standardWebhooks } from '../../connectors/standard-webhooks/webhooks';
import { stripe } from '../../connectors/stripe/webhooks';
import { sandboxSecret, sandboxStandardWebhooksSecret } from '../../platform/secrets';
import type { Json } from '../../schemas/json';
import type { TerminalOutcome } from '../../schemas/outcome';
import type { WebhookDelivery } from './provider';

/** One webhook of the samples, what goes wrong with it, and how it must end. */
export interface Sample {
  /** What it shows. */
  shows: string;
  delivery: WebhookDelivery;
  /** Faults armed at a simulator before it is sent; by record, so that they strike this one whenever it comes. */
  faults?: { vendor: string; fault: object };
  /** A forger does not try again. */
  forged?: boolean;
  /** Sent only once all samples before it have ended. */
  afterOthers?: boolean;
  door: 'new' | 'duplicate' | 'ignored' | 'refused';
  outcome?: TerminalOutcome;
  code?: string;
  minAttempts?: number;
  /** What must stand in the CRM afterwards, by e-mail address. */
  lands?: { email: string; properties: Record<string, string> };
}

interface Clock {
  /** Part of all event ids: a second start sends other events. */
  tag: string;
  now: number;
}

/** The samples, in the order of sending. */
export function samplesFor(clock: Clock): Sample[] {
  return [...oneCustomerEverywhere(clock), ...exits(clock), ...atTheDoor(clock), ...vendorTrouble(clock), ...order(clock)];
}

const upsert = '/crm/v3/objects/contacts/batch/upsert';
const hubspotFault = (kind: string, email: string, more: object = {}) => ({ vendor: 'hubspot', fault: { kind, match: { path: upsert, email }, ...more } });

function vendorTrouble(clock: Clock): Sample[] {
  return [
    {
      shows: 'HubSpot takes it but never answers',
      delivery: customer(clock, 1, 'edsger@example.com', 'Edsger', 'Dijkstra'),
      faults: hubspotFault('timeoutAfterCommit', 'edsger@example.com'),
      ...landed('edsger@example.com', { firstname: 'Edsger', lastname: 'Dijkstra' }, 2),
    },
    {
      shows: 'HubSpot answers 429',
      delivery: customer(clock, 2, 'grace@example.com', 'Grace', 'Hopper'),
      faults: hubspotFault('rateLimit', 'grace@example.com', { retryAfter: '1' }),
      ...landed('grace@example.com', { firstname: 'Grace', lastname: 'Hopper' }, 2),
    },
    {
      shows: 'HubSpot answers 503',
      delivery: billing(clock, 1, 'alan@example.com', 'Alan Turing', true),
      faults: hubspotFault('serverError', 'alan@example.com'),
      ...landed('alan@example.com', { stripe_customer_id: 'cus_Sample1', billing_delinquent: 'true' }, 2),
    },
    {
      shows: 'the lead score service answers 503',
      delivery: signup(clock, 'c-1002', 'barbara@example.com', 'Liskov Ltd'),
      faults: { vendor: 'leadscore', fault: { kind: 'serverError', match: { key: 'c-1002' } } },
      ...landed('barbara@example.com', { company: 'Liskov Ltd' }),
    },
  ];
}

function oneCustomerEverywhere(clock: Clock): Sample[] {
  return [
    {
      shows: 'a new customer',
      delivery: customer(clock, 3, 'ada@example.com', 'Ada', 'Lovelace', { topic: 'customers/create', phone: '+15555550100' }),
      ...landed('ada@example.com', { firstname: 'Ada', lastname: 'Lovelace', phone: '+15555550100' }),
    },
    {
      shows: 'her order',
      delivery: shopOrder(clock, 1001, 'ada@example.com', '409.94'),
      ...landed('ada@example.com', { last_order_name: '#1001', last_order_total: '409.94', last_order_date: day(clock) }),
    },
    {
      shows: 'the same customer in billing',
      delivery: billing(clock, 2, 'ada@example.com', 'Ada Lovelace', false),
      ...landed('ada@example.com', { stripe_customer_id: 'cus_Sample2', billing_delinquent: 'false' }),
    },
    {
      shows: 'her sign-up, with a lead score',
      delivery: signup(clock, 'c-1001', 'ada@example.com', 'Analytical Engines'),
      ...landed('ada@example.com', { company: 'Analytical Engines', lead_score: '63' }),
    },
    {
      shows: 'another order',
      delivery: shopOrder(clock, 1002, 'katherine@example.com', '75.00'),
      ...landed('katherine@example.com', { last_order_name: '#1002', last_order_total: '75.00', last_order_date: day(clock) }),
    },
  ];
}

/** The local part is longer than the 64 characters that mail servers take: fine for our contract, not for HubSpot. */
const tooLong = 'maria.del.carmen.fernandez-villaverde.garcia.de.la.torre.y.castellanos@example.com';

function exits(clock: Clock): Sample[] {
  return [
    { shows: 'an order without e-mail', delivery: shopOrder(clock, 1003, null, '12.50'), door: 'new', outcome: 'skipped', code: 'SKIPPED_BY_MAPPING' },
    {
      shows: 'a billing customer without e-mail',
      delivery: billing(clock, 3, null, 'Walk-in', false),
      door: 'new',
      outcome: 'skipped',
      code: 'SKIPPED_BY_MAPPING',
    },
    {
      shows: 'a body that breaks its contract',
      delivery: customer(clock, 4, 'not-an-email', 'Charles', 'Babbage'),
      door: 'new',
      outcome: 'invalid',
      code: 'CONTRACT_VIOLATION',
    },
    {
      shows: 'an address HubSpot refuses for good',
      delivery: customer(clock, 5, tooLong, 'María', 'Fernández'),
      door: 'new',
      outcome: 'rejected',
      code: 'INVALID_EMAIL',
    },
  ];
}

function atTheDoor(clock: Clock): Sample[] {
  const ada = customer(clock, 3, 'ada@example.com', 'Ada', 'Lovelace', { topic: 'customers/create', phone: '+15555550100' });
  const forged = { ...customer(clock, 6, 'mallory@example.com', 'Mallory', 'Forger'), secret: 'a-guess' };
  return [
    { shows: 'the provider sends one again', delivery: ada, door: 'duplicate' },
    { shows: 'a forged signature', delivery: forged, forged: true, door: 'refused' },
    { shows: 'an event no sync wants', delivery: fromShop(clock, 'products/update', 'product-1', { id: 632910392, title: 'Slide rule' }), door: 'ignored' },
  ];
}

function order(clock: Clock): Sample[] {
  return [
    {
      shows: 'a change of name …',
      delivery: customer(clock, 8, 'radia@example.com', 'Radia', 'Perlman'),
      ...landed('radia@example.com', { firstname: 'Radia', lastname: 'Perlman' }),
    },
    {
      shows: '… and an older one, come late',
      delivery: customer({ ...clock, now: clock.now - 3_600_000 }, 7, 'radia@example.com', 'Radia', 'Unmarried'),
      afterOthers: true,
      door: 'new',
      outcome: 'superseded',
      code: 'SUPERSEDED',
    },
  ];
}

function landed(email: string, properties: Record<string, string>, minAttempts = 1): Pick<Sample, 'door' | 'outcome' | 'minAttempts' | 'lands'> {
  return { door: 'new', outcome: 'accepted', minAttempts, lands: { email, properties } };
}

function fromShop(clock: Clock, topic: string, eventId: string, body: Json): WebhookDelivery {
  return {
    source: shopify,
    path: '/webhooks/shopify/shop',
    topic,
    eventId: `${clock.tag}-${eventId}`,
    body,
    secret: sandboxSecret('SYNCLINE_SHOPIFY_SHOP_WEBHOOK_SECRET'),
  };
}

function customer(clock: Clock, number: number, email: string, first: string, last: string, more: { topic?: string; phone?: string } = {}): WebhookDelivery {
  const body = { id: 207119550 + number, email, first_name: first, last_name: last, phone: more.phone ?? null, tags: '', updated_at: iso(clock) };
  return fromShop(clock, more.topic ?? 'customers/update', `customer-${number}`, body);
}

function shopOrder(clock: Clock, number: number, email: string | null, total: string): WebhookDelivery {
  return fromShop(clock, 'orders/create', `order-${number}`, {
    id: 450788000 + number,
    name: `#${number}`,
    email,
    total_price: total,
    currency: 'USD',
    created_at: iso(clock),
  });
}

function billing(clock: Clock, number: number, email: string | null, name: string, delinquent: boolean): WebhookDelivery {
  const id = `evt_${clock.tag}_${number}`;
  const object = { id: `cus_Sample${number}`, object: 'customer', email, name, delinquent };
  const body = { id, object: 'event', type: 'customer.updated', created: Math.floor(clock.now / 1000), data: { object } };
  return {
    source: stripe,
    path: '/webhooks/stripe/billing',
    topic: 'customer.updated',
    eventId: id,
    body,
    secret: sandboxSecret('SYNCLINE_STRIPE_BILLING_WEBHOOK_SECRET'),
  };
}

function signup(clock: Clock, customerId: string, email: string, company: string): WebhookDelivery {
  const body = { type: 'signup.completed', timestamp: iso(clock), data: { customer_id: customerId, email, company } };
  const secret = sandboxStandardWebhooksSecret('SYNCLINE_STANDARD_WEBHOOKS_SITE_WEBHOOK_SECRET');
  return { source: standardWebhooks, path: '/webhooks/signup-to-crm', topic: 'signup.completed', eventId: `msg_${clock.tag}_${customerId}`, body, secret };
}

/** Shopify and our own product write whole seconds. */
function iso({ now }: Clock): string {
  return new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
}

function day(clock: Clock): string {
  return iso(clock).slice(0, 10);
}

/** More traffic of the ordinary kind: customers and orders of a few people, the `number`-th event. */
export function ordinaryEvent(clock: Clock, number: number): WebhookDelivery {
  const person = `customer${number % 20}@example.com`;
  if (number % 3 === 0) return { ...shopOrder(clock, 2000 + number, person, `${10 + (number % 90)}.00`) };
  return customer(clock, 1000 + number, person, 'Customer', `No. ${number % 20}`);
}
