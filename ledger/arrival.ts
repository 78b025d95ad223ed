import { Client, type ClientConfig } from 'pg';
import type { LedgerLog } from './database';
import { ARRIVAL_CHANNEL } from './receive';

const FIRST_RETRY_MS = 200;
const MAX_RETRY_MS = 5_000;

/**
 * One connection of its own that listens for arrivals, on behalf of all listeners; it comes back by itself, and then wakes
 * them, since what was notified meanwhile is lost. Open only while someone listens.
 */
export class ArrivalListener {
  private readonly listeners = new Set<() => void>();
  private client: Client | undefined;
  private connecting: Promise<void> | undefined;
  private retry: NodeJS.Timeout | undefined;
  private retryMs = FIRST_RETRY_MS;

  constructor(
    private readonly config: ClientConfig,
    private readonly log: LedgerLog,
  ) {}

  /** Resolves once it listens, or once a first attempt failed and further ones are under way. */
  async add(listener: () => void): Promise<() => Promise<void>> {
    const entry = () => listener(); // the same function may be added twice
    this.listeners.add(entry);
    await (this.connecting ??= this.connect());
    return async () => {
      this.listeners.delete(entry);
      if (this.listeners.size === 0) await this.close();
    };
  }

  async close(): Promise<void> {
    this.listeners.clear();
    clearTimeout(this.retry);
    await this.connecting;
    clearTimeout(this.retry);
    this.connecting = undefined;
    const client = this.client;
    this.client = undefined;
    await client?.end().catch(() => undefined);
  }

  private async connect(): Promise<void> {
    const client = new Client({ ...this.config, connectionTimeoutMillis: 2_000, keepAlive: true });
    client.on('notification', () => this.wake());
    client.on('error', (error) => this.lost(client, error));
    client.on('end', () => this.lost(client, new Error('the connection ended')));
    try {
      await client.connect();
      await client.query(`listen ${ARRIVAL_CHANNEL}`);
      this.client = client;
      this.retryMs = FIRST_RETRY_MS;
    } catch (error) {
      this.client = client;
      this.lost(client, error);
    }
  }

  /** `error` and `end` both tell of one loss; only the first counts. */
  private lost(client: Client, error: unknown): void {
    if (this.client !== client) return;
    this.client = undefined;
    client.end().catch(() => undefined);
    if (this.listeners.size === 0) return;
    this.log.warn({ err: error, retryMs: this.retryMs }, 'not listening for arrivals; starters fall back to polling');
    this.retry = setTimeout(() => {
      this.connecting = this.connect().then(() => {
        if (this.client) this.wake();
      });
    }, this.retryMs);
    this.retryMs = Math.min(this.retryMs * 2, MAX_RETRY_MS);
  }

  private wake(): void {
    for (const listener of this.listeners) {
      try {
        listener();
      } catch (error) {
        this.log.error({ err: error }, 'a listener for arrivals failed');
      }
    }
  }
}
