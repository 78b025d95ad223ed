import type { Logger } from 'pino';
import type { BudgetAlert } from '../workflows/budget/alerts';

/** The body posted to `SYNCLINE_ALERT_WEBHOOK_URL`. `text` is what chat tools show of it. */
export interface AlertMessage extends Omit<BudgetAlert, 'again'> {
  budget: string;
  text: string;
}

export interface WebhookOptions {
  /** Takes JSON by POST; without it nothing is sent. */
  webhook?: string | undefined;
  log: Logger;
  /** @default the global one */
  post?: typeof fetch;
  /** Waits between two tries, milliseconds. */
  waits?: readonly number[];
}

/** Together less than the ten minutes after which the budget hands an alert to another worker. */
const retryWaitsMs = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000];
const timeoutMs = 5_000;

/** Posts a message to the alert webhook, again and again until it is taken; rejects when it was not. */
export function createWebhook(options: WebhookOptions): (message: { id: string; text: string }) => Promise<void> {
  const { webhook, log, waits = retryWaitsMs } = options;
  return async (message) => {
    if (webhook === undefined) return;
    for (let tries = 0; ; tries++) {
      const problem = await post(options.post ?? fetch, webhook, message);
      if (problem === null) return;
      // The address may hold a token: it is not named.
      if (tries === 0) log.warn({ id: message.id, problem }, 'the alert webhook does not take a message; it is tried again');
      const wait = waits[tries];
      if (wait === undefined) throw new Error(problem);
      await new Promise((resolve) => setTimeout(resolve, wait).unref());
    }
  };
}

/**
 * Tells people of a budget's change of state: a log line at once, then the webhook, tried again until it takes it. Rejects
 * when it did not: the budget keeps the alert and hands it out again. One at a time per budget, so that `recovered` never
 * arrives before its `high`.
 */
export function createAlerts(options: WebhookOptions): (budget: string, alert: BudgetAlert) => Promise<void> {
  const { log } = options;
  const deliver: (message: AlertMessage) => Promise<void> = createWebhook(options);
  const before = new Map<string, Promise<void>>();
  const under = new Map<string, Promise<void>>();

  return (budget, { again, ...alert }) => {
    const id = `${budget}/${alert.id}`;
    const known = under.get(id);
    if (known) return known;
    const message: AlertMessage = { ...alert, id, budget, text: words(budget, alert) };
    const facts = { budget, window: alert.window, used: alert.used, limit: alert.limit, spentInMs: alert.spentInMs, id, ...(again ? { again } : {}) };
    if (alert.kind === 'high') log.warn(facts, 'a budget window is used to 70 % or more');
    else log.info(facts, 'a budget window has recovered');
    const delivered = (before.get(budget) ?? Promise.resolve()).catch(() => undefined).then(() => deliver(message));
    before.set(budget, delivered);
    under.set(id, delivered);
    delivered.catch(() => undefined).finally(() => under.delete(id));
    return delivered;
  };
}

/** What went wrong; null = it was taken. */
async function post(send: typeof fetch, webhook: string, message: object): Promise<string | null> {
  try {
    const headers = { 'content-type': 'application/json', 'user-agent': 'syncline' };
    const answer = await send(webhook, { method: 'POST', headers, body: JSON.stringify(message), redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
    await answer.body?.cancel();
    return answer.ok ? null : `it answered ${answer.status}`;
  } catch (error) {
    const code = (error as { cause?: { code?: unknown } }).cause?.code;
    return typeof code === 'string'
      ? code
      : error instanceof Error && error.name === 'TimeoutError'
        ? `no answer within ${timeoutMs} ms`
        : 'it cannot be reached';
  }
}

function words(budget: string, alert: Omit<BudgetAlert, 'again'>): string {
  const part = alert.limit === 0 ? 100 : Math.round((100 * alert.used) / alert.limit);
  const use = `${budget}: ${alert.window} is at ${part} % (${alert.used} of ${alert.limit})`;
  if (alert.kind === 'recovered') return `${use}: recovered`;
  const hours = (ms: number): string => (ms < 5_400_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`);
  const end = alert.spentInMs === null ? '' : `; at this pace spent in about ${hours(alert.spentInMs)}`;
  const anew = alert.startsAnewMs === null ? '' : `; starts anew in ${hours(alert.startsAnewMs)}`;
  const who = alert.spenders.map(({ sync, lane, units }) => `${sync} (${lane}) ${units}`).join(', ');
  return `${use}${end}${anew}${who === '' ? '' : `. Today: ${who}`}`;
}
