import { shopify } from '../../connectors/shopify/webhooks';
import { customerOf, eventIdOf } from '../engine/event';
import { type Answered, requestBytes, type Requests } from './load';

/** Events of a round, as Shopify would send them. */
export function signedRequests(to: { port: number; path: string; env: Record<string, string> }, round: string, count: number): Requests {
  const host = `127.0.0.1:${to.port}`;
  const secret = to.env.SYNCLINE_SHOPIFY_SHOP_WEBHOOK_SECRET ?? '';
  return Array.from({ length: count }, (_, index) => {
    const body = Buffer.from(JSON.stringify(customerOf(round, index)));
    const delivery = {
      method: 'POST',
      url: `http://${host}${to.path}`,
      body,
      secret,
      now: Date.now(),
      topic: 'customers/update',
      eventId: eventIdOf(round, index),
    };
    return requestBytes(host, to.path, shopify.sign(delivery) as Record<string, string>, body);
  });
}

/** A refused delivery is quick, and would make the figures look good. */
export function expectYes(who: string, answered: readonly Answered[]): void {
  const refused = answered.filter(({ status }) => status < 200 || status > 299);
  if (refused.length > 0) throw new Error(`${who}: ${refused.length} of ${answered.length} were not acknowledged; the first with ${refused[0]?.status}`);
}
