import type { ExtractedEvent, RawRequest } from '../connectors/webhook';
import type { Inbox, NewInboxEvent, Receipt } from '../ledger/port';
import type { Log } from '../platform/logging';
import { recordSyncId } from '../platform/start-options';
import type { SourceAccount } from '../syncs/accounts-api';
import type { Sync } from '../syncs/define-sync';
import { type Answer, Refusal, refusalAnswer, type Taken, takenAnswer } from './receiver/answers';
import { type BodyReader, bodyTimeout, bodyTooLarge } from './receiver/body';
import { createDoorCounter } from './receiver/door-counter';
import { createInFlight, within } from './receiver/in-flight';
import { noMetrics, type ReceiverMetrics } from './receiver/metrics';
import { checkContentType, checkSignature, readEvents } from './receiver/read-delivery';
import { createRoutes, type Route, type Target } from './receiver/routes';

/** Bounds of one receiver. */
export interface ReceiverLimits {
  /** Bytes of a body. @default 1 MiB */
  maxBodyBytes: number;
  /** Time for a body to arrive, milliseconds. @default 10 s */
  bodyTimeoutMs: number;
  /** Time from a read body to the answer, milliseconds; then 503 while the insert goes on. @default 3 s */
  answerWithinMs: number;
  /** Deliveries being verified and committed at once; more are answered 503. @default 512 */
  maxInFlight: number;
  /** Bytes of their bodies. @default 64 MiB */
  maxInFlightBytes: number;
}

export const defaultLimits: ReceiverLimits = {
  maxBodyBytes: 1024 * 1024,
  bodyTimeoutMs: 10_000,
  answerWithinMs: 3_000,
  maxInFlight: 512,
  maxInFlightBytes: 64 * 1024 * 1024,
};

export interface ReceiverOptions {
  syncs: readonly Sync[];
  inbox: Pick<Inbox, 'receive' | 'countAtDoor'>;
  /** Signing secrets of a source account, newest first; asked for each delivery. Throws when there is none. */
  secrets: (account: SourceAccount) => readonly string[];
  /** Origin (and path prefix) under which providers reach us: HubSpot signs the full address. @default the request's own */
  publicUrl?: string | (() => string);
  limits?: Partial<ReceiverLimits>;
  /** Milliseconds since the epoch. @default Date.now */
  clock?: () => number;
  /** True while the inbox holds as much as it may: every delivery is then answered 503. */
  inboxFull?: () => boolean;
  metrics?: ReceiverMetrics;
  log?: Pick<Log, 'warn' | 'error'>;
}

/** A webhook request on its way in. */
export interface Delivery extends Omit<RawRequest, 'body'> {
  /** The raw bytes, or how to read them. */
  body: Buffer | BodyReader;
  /** Null when the path names no webhook: answered 404. */
  route: Route | null;
}

export interface Receiver {
  /** Takes a delivery to the inbox. Always answers; never rejects. */
  receive(delivery: Delivery): Promise<Answer>;
  /** Resolves when no insert is under way and all counts are written. */
  drain(): Promise<void>;
}

/** The inbox gathers counts once more. */
const refusalFlushMs = 500;

/**
 * The door: verifies the raw body, finds the events, commits one inbox row per event and wanting sync, and only then says
 * yes. A body that breaks the contract is not refused: that is found, recorded and replayable inside the run.
 */
export function createReceiver(options: ReceiverOptions): Receiver {
  const { inbox, secrets, publicUrl } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const clock = options.clock ?? Date.now;
  const metrics = options.metrics ?? noMetrics;
  const findTarget = createRoutes(options.syncs);
  const door = createDoorCounter({ inbox, everyMs: refusalFlushMs, log: options.log });
  const inFlight = createInFlight({
    maxCount: limits.maxInFlight,
    maxBytes: limits.maxInFlightBytes,
    onChange: (count) => metrics.inFlight(count),
  });

  async function take(delivery: Delivery, target: Target): Promise<Taken> {
    if (delivery.method !== 'POST') throw new Refusal('METHOD_NOT_ALLOWED', 'webhooks are POST requests', 'send a POST');
    checkContentType(delivery, target.account.source.contentTypes);
    if (Number(delivery.headers['content-length'] ?? 0) > limits.maxBodyBytes) throw bodyTooLarge(limits.maxBodyBytes);
    admit(0);
    const body = await readBody(delivery.body);
    admit(body.length);
    const { method, headers } = delivery;
    const work = inFlight.track(verifyAndCommit({ method, url: publicAddress(delivery.url), headers, body }, target), body.length);
    return within(work, limits.answerWithinMs, () => {
      work.then(
        () => metrics.late({ committed: true }),
        () => metrics.late({ committed: false }),
      );
      const message = `the inbox did not commit within ${limits.answerWithinMs} ms`;
      return new Refusal('INBOX_SLOW', message, 'send it again; a repeat is recognised');
    });
  }

  /** The request's path under the public address. */
  function publicAddress(url: string): string {
    const origin = typeof publicUrl === 'function' ? publicUrl() : publicUrl;
    if (origin === undefined) return url;
    const path = url.startsWith('/') ? url : url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '');
    return origin.replace(/\/+$/, '') + path;
  }

  function admit(bytes: number): void {
    if (options.inboxFull?.()) {
      throw new Refusal('INBOX_FULL', 'the inbox holds as much as it may', 'send it again after the time in Retry-After');
    }
    inFlight.admit(bytes);
  }

  async function readBody(body: Buffer | BodyReader): Promise<Buffer> {
    if (typeof body === 'function') return within(body(limits.maxBodyBytes), limits.bodyTimeoutMs, () => bodyTimeout(limits.bodyTimeoutMs));
    if (body.length > limits.maxBodyBytes) throw bodyTooLarge(limits.maxBodyBytes);
    return body;
  }

  async function verifyAndCommit(request: RawRequest, target: Target): Promise<Taken> {
    await checkSignature(request, target.account, { secrets: secretsOf(target.account), now: clock() });
    const events = readEvents(request, target.account);
    const { rows, ignored } = fanOut(events, target);
    try {
      return { received: events.length, ignored, runs: await commit(rows, ignored, target) };
    } catch (error) {
      const next = 'send it again after the time in Retry-After; a repeat is recognised';
      throw new Refusal('INBOX_UNREACHABLE', 'the inbox could not commit the delivery', next, { cause: error });
    }
  }

  function secretsOf(account: SourceAccount): readonly string[] {
    const next = 'set it on the receiving side, then send again';
    try {
      const found = secrets(account);
      if (found.length > 0) return found;
      throw new Error(`${account.secretVariable} is empty`);
    } catch (error) {
      throw new Refusal('SECRET_UNUSABLE', `${account.secretVariable} is not usable`, next, { cause: error });
    }
  }

  async function commit(rows: NewInboxEvent[], ignored: number, target: Target): Promise<Taken['runs']> {
    const receipts = rows.length > 0 ? await inbox.receive(rows) : [];
    // Each yes must stand for a committed row.
    if (receipts.length !== rows.length) throw new Error(`the inbox gave ${receipts.length} receipts for ${rows.length} events`);
    const { source, name } = target.account;
    if (ignored > 0) {
      const count = { syncId: target.syncId, source: source.vendor, account: name, reason: 'ignored', events: ignored };
      await inbox.countAtDoor(count);
      metrics.events({ syncId: target.syncId ?? '', receipt: 'ignored', count: ignored });
    }
    return rows.map(({ syncId, eventId, workflowId }, index) => {
      const receipt = receipts[index] as Receipt;
      metrics.events({ syncId, receipt, count: 1 });
      return { syncId, eventId, workflowId, receipt };
    });
  }

  async function receive(delivery: Delivery): Promise<Answer> {
    const startedAt = performance.now();
    let target: Target | null = null;
    let answer: Answer;
    try {
      target = findTarget(delivery.route);
      answer = takenAnswer(await take(delivery, target));
    } catch (error) {
      answer = refused(error, target);
    }
    const source = target?.account.source.vendor ?? 'unknown';
    metrics.answered({
      status: answer.status,
      code: answer.body.code,
      source,
      seconds: (performance.now() - startedAt) / 1000,
    });
    return answer;
  }

  function refused(error: unknown, target: Target | null): Answer {
    const next = 'look into the log of the receiving side';
    const refusal = error instanceof Refusal ? error : new Refusal('RECEIVER_ERROR', 'the receiver failed', next, { cause: error });
    const source = target?.account.source.vendor ?? 'unknown';
    const account = target?.account.name ?? '';
    const count = { syncId: target?.syncId ?? null, source, account, reason: refusal.code.toLowerCase() };
    door.refused(count, refusal.cause);
    return refusalAnswer(refusal);
  }

  async function drain(): Promise<void> {
    await inFlight.drained();
    await door.flush();
  }

  return { receive, drain };
}

/** One row per event and sync that wants it. */
function fanOut(events: readonly ExtractedEvent[], target: Target): { rows: NewInboxEvent[]; ignored: number } {
  const { source, name: account } = target.account;
  const rows: NewInboxEvent[] = [];
  let ignored = 0;
  for (const { id: eventId, topic, occurredAt, body } of events) {
    const syncs = target.wanted.get(topic) ?? [];
    if (syncs.length === 0) ignored += 1;
    for (const { id: syncId } of syncs) {
      const workflowId = recordSyncId(syncId, { account, id: eventId });
      rows.push({ syncId, source: source.vendor, account, eventId, topic, occurredAt, body, workflowId });
    }
  }
  return { rows, ignored };
}
