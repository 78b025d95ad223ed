import { setTimeout as delay } from 'node:timers/promises';
import type { WebhookSource } from '../../connectors/webhook';
import type { Json } from '../../schemas/json';

/** One webhook as a provider sends it. */
export interface WebhookDelivery {
  source: WebhookSource;
  /** Below the gateway's address, e.g. `/webhooks/shopify/shop`. */
  path: string;
  topic: string;
  eventId: string;
  body: Json;
  secret: string;
}

/** How the gateway answered. */
export interface DeliveryAnswer {
  status: number;
  /** The answer's code, e.g. `ACCEPTED`. */
  code: string;
  /** Requests it took. */
  tries: number;
  runs: { syncId: string; workflowId: string; receipt: string }[];
}

interface SendOptions {
  signal?: AbortSignal;
  /** Requests before it gives up; a forger has one. @default 30 */
  maxTries?: number;
}

const firstWaitMs = 250;
const maxWaitMs = 5_000;
const timeoutMs = 5_000;

/** Signs and posts a webhook, and does what providers do: everything but a 2xx is sent again later, signed anew. */
export async function sendWebhook(gatewayUrl: string, delivery: WebhookDelivery, options: SendOptions = {}): Promise<DeliveryAnswer> {
  const { maxTries = 30, signal } = options;
  let answer: DeliveryAnswer = { status: 0, code: 'NO_ANSWER', tries: 0, runs: [] };
  for (let tries = 1; tries <= maxTries; tries++) {
    if (tries > 1) await delay(Math.min(maxWaitMs, firstWaitMs * 2 ** (tries - 2)), undefined, signal ? { signal } : {});
    answer = { ...(await post(gatewayUrl, delivery)), tries };
    if (answer.status >= 200 && answer.status < 300) break;
  }
  return answer;
}

async function post(gatewayUrl: string, { source, path, secret, topic, eventId, ...delivery }: WebhookDelivery): Promise<Omit<DeliveryAnswer, 'tries'>> {
  const url = `${gatewayUrl}${path}`;
  const body = Buffer.from(JSON.stringify(delivery.body));
  const headers = await source.sign({ method: 'POST', url, body, secret, now: Date.now(), topic, eventId });
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
      signal: AbortSignal.timeout(timeoutMs),
    });
    const said = (await response.json().catch(() => null)) as Partial<DeliveryAnswer> | null;
    return { status: response.status, code: said?.code ?? '', runs: said?.runs ?? [] };
  } catch {
    return { status: 0, code: 'NO_ANSWER', runs: [] }; // refused, reset or too slow
  }
}
