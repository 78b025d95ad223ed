import { Pool } from 'pg';
import { createTestDatabase } from './servers';
import { createLedger, type Ledger, type LedgerOptions, type NewInboxEvent, type OutcomeRow } from '../../ledger';

/** A migrated ledger on a database of its own. */
export interface TestLedger {
  ledger: Ledger;
  pool: Pool;
  url: string;
  /** A second ledger on the same database: another process. */
  another(options?: Partial<LedgerOptions>): Ledger;
  drop(): Promise<void>;
}

export async function createTestLedger(options: Partial<LedgerOptions> = {}): Promise<TestLedger> {
  const database = await createTestDatabase('ledger');
  const pool = new Pool({ connectionString: database.url, max: 4 });
  const ledgers: Ledger[] = [];
  const another = (more: Partial<LedgerOptions> = {}) => {
    const ledger = createLedger({ connectionString: database.url, ...options, ...more });
    ledgers.push(ledger);
    return ledger;
  };
  const ledger = another();
  await ledger.migrate();
  return {
    ledger,
    pool,
    url: database.url,
    another,
    async drop() {
      await Promise.all(ledgers.map((one) => one.close()));
      await pool.end();
      await database.drop();
    },
  };
}

/** An event of the sync `orders`, made different by its id. */
export function newEvent(eventId: string, more: Partial<NewInboxEvent> = {}): NewInboxEvent {
  return {
    syncId: 'orders',
    source: 'shopify',
    account: 'main',
    eventId,
    topic: 'orders/create',
    occurredAt: 1_760_000_000_123,
    body: { id: eventId, note: 'Grüße' },
    workflowId: `orders/main/${eventId}`,
    ...more,
  };
}

/** An outcome of that event. */
export function outcomeOf(eventId: string, more: Partial<OutcomeRow> = {}): OutcomeRow {
  return {
    syncId: 'orders',
    source: 'shopify',
    account: 'main',
    eventId,
    topic: 'orders/create',
    workflowId: `orders/main/${eventId}`,
    runId: `run-of-${eventId}`,
    receivedAt: '2026-01-02T03:04:05.678Z',
    keyHmacs: [`hmac-${eventId}`],
    outcome: 'accepted',
    attempts: 1,
    ...more,
  };
}
