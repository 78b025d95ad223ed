import { setTimeout as delay } from 'node:timers/promises';
import { shopify } from '../../connectors/shopify/webhooks';
import { standardWebhooks } from '../../connectors/standard-webhooks/webhooks';
import { stripe } from '../../connectors/stripe/webhooks';
import type { SignableDelivery, WebhookSource } from '../../connectors/webhook';
import { recordSyncId } from '../../platform/start-options';
import { sandboxSecret, sandboxStandardWebhooksSecret } from '../../platform/secrets';
import type { SentEvent } from './chaos-checker';

/** An event as a provider has it, and what must become of it. */
export interface ProviderEvent {
  from: 'shopify' | 'stripe' | 'site';
  syncId: string;
  topic: string;
  /** The provider's id of the event; for Stripe it stands in the body. */
  eventId: string;
  body: Record<string, unknown>;
  expected: Pick<SentEvent, 'key' | 'at' | 'properties' | 'optional' | 'expect'>;
}

const providers: Record<ProviderEvent['from'], { source: WebhookSource; account: string; secret: string; path: (syncId: string) => string }> = {
  // One address for all of the shop's topics, as shops have it.
  shopify: { source: shopify, account: 'shop', secret: sandboxSecret('SYNCLINE_SHOPIFY_SHOP_WEBHOOK_SECRET'), path: () => '/webhooks/shopify/shop' },
  stripe: { source: stripe, account: 'billing', secret: sandboxSecret('SYNCLINE_STRIPE_BILLING_WEBHOOK_SECRET'), path: (syncId) => `/webhooks/${syncId}` },
  site: {
    source: standardWebhooks,
    account: 'site',
    secret: sandboxStandardWebhooksSecret('SYNCLINE_STANDARD_WEBHOOKS_SITE_WEBHOOK_SECRET'),
    path: (syncId) => `/webhooks/${syncId}`,
  },
};

/** How one delivery ended at the provider. */
export interface Post {
  at: number;
  tookMs: number;
  /** Null: no answer. */
  status: number | null;
  code: string | null;
}

/** Providers that sign and post over HTTP and, like Shopify and Stripe, send what was not answered 2xx again under the same id; sooner than those. */
export class FakeProvider {
  readonly posts = new Map<string, Post[]>();
  private stopped = false;
  private readonly events = new Map<string, ProviderEvent>();

  constructor(
    private readonly options: {
      gatewayUrl: () => string;
      /** @default 250 */
      firstRetryMs?: number;
      /** @default 4_000 */
      maxRetryMs?: number;
      /** A provider's own patience. @default 5_000 */
      timeoutMs?: number;
      /** Then it gives up, as providers do after days. @default 3 min */
      giveUpAfterMs?: number;
    },
  ) {}

  /** Posts until it is acknowledged. Returns the workflow id the event has. */
  async send(event: ProviderEvent): Promise<string> {
    const { firstRetryMs = 250, maxRetryMs = 4_000, giveUpAfterMs = 180_000 } = this.options;
    const id = workflowIdOf(event);
    const until = Date.now() + giveUpAfterMs;
    for (let retry = 0; ; retry++) {
      const { status } = await this.post(event);
      if (status !== null && status >= 200 && status < 300) return id;
      if (this.stopped || Date.now() > until) return id;
      await delay(Math.min(maxRetryMs, firstRetryMs * 2 ** retry));
    }
  }

  /** Sends nothing again: for the end of a test that failed. */
  stop(): void {
    this.stopped = true;
  }

  /** One delivery, whatever comes of it. */
  async post(event: ProviderEvent, gatewayUrl = this.options.gatewayUrl()): Promise<Post> {
    const { source, secret, path } = providers[event.from];
    const url = gatewayUrl + path(event.syncId);
    const body = Buffer.from(JSON.stringify(event.body));
    const startedAt = Date.now();
    const delivery: SignableDelivery = { method: 'POST', url, body, secret, now: startedAt, topic: event.topic, eventId: event.eventId };
    let post: Post = { at: startedAt, tookMs: 0, status: null, code: null };
    try {
      const headers = { 'content-type': 'application/json', ...(await source.sign(delivery)) };
      const answer = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(this.options.timeoutMs ?? 5_000) });
      const said = (await answer.json()) as { code?: string };
      post = { ...post, status: answer.status, code: said.code ?? null };
    } catch {
      // No answer: the provider can't know whether it was taken.
    }
    post.tookMs = Date.now() - startedAt;
    const id = workflowIdOf(event);
    this.events.set(id, event);
    this.posts.set(id, [...(this.posts.get(id) ?? []), post]);
    return post;
  }

  /** What was sent, as the checker wants it. */
  sent(): SentEvent[] {
    return [...this.events].map(([workflowId, { syncId, expected }]) => {
      const posts = this.posts.get(workflowId) ?? [];
      const acks = posts.filter(({ status }) => status !== null && status >= 200 && status < 300).length;
      return { workflowId, syncId, ...expected, posts: posts.length, acks };
    });
  }

  /** All deliveries, by answer. */
  answers(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { status } of [...this.posts.values()].flat()) counts[String(status ?? 'none')] = (counts[String(status ?? 'none')] ?? 0) + 1;
    return counts;
  }
}

/** The id the event's run must have, told by the source's own reading of the delivery. */
export function workflowIdOf({ from, syncId, topic, eventId, body }: ProviderEvent): string {
  const { source, account, secret } = providers[from];
  const raw = Buffer.from(JSON.stringify(body));
  const headers = source.sign({ method: 'POST', url: '', body: raw, secret, now: Date.now(), topic, eventId }) as Record<string, string>;
  const [event] = source.events({ method: 'POST', url: '', headers, body: raw }, body as never);
  if (!event) throw new Error(`${from} finds no event in its own delivery`);
  return recordSyncId(syncId, { account, id: event.id });
}
