import type { Pool } from 'pg';
import { ArrivalListener } from './arrival';
import type { BodyCodec } from './body';
import { createPool, Database, type LedgerLog } from './database';
import { DoorCounter } from './door';
import { createFence } from './fence';
import { createInbox } from './inbox';
import { migrate } from './migrate';
import { createOutcomes } from './outcomes';
import type { Ledger } from './port';
import { createPrune } from './prune';
import { createQueries } from './queries';
import { Receiver } from './receive';

export type { BodyCodec } from './body';
export type { LedgerLog } from './database';
export type * from './port';

/** What a ledger needs. */
export interface LedgerOptions {
  /** PostgreSQL 14 or newer; or a pool of the caller's, which stays the caller's to close. */
  connectionString?: string;
  /** Its `connectionTimeoutMillis` should be near 2 s, else a gateway can't answer in time while the database is down. */
  pool?: Pool;
  /** Bodies pass it on their way in and out. @default none: as they are */
  codec?: BodyCodec;
  /** @default silent */
  log?: LedgerLog;
}

const asTheyAre: BodyCodec = { encode: (body) => Promise.resolve(body), decode: (body) => Promise.resolve(body) };
const silent: LedgerLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The ledger on PostgreSQL. Opens no connection before it is used. */
export function createLedger({ connectionString, pool: theirs, codec = asTheyAre, log = silent }: LedgerOptions): Ledger {
  if ((connectionString === undefined) === (theirs === undefined)) throw new TypeError('createLedger needs a pool or a connectionString');
  const pool = theirs ?? createPool(connectionString as string, log);
  const db = new Database(pool);
  const door = new DoorCounter(db);
  const arrivals = new ArrivalListener(pool.options, log);
  let closing: Promise<void> | undefined;
  const close = async () => {
    await arrivals.close();
    if (!theirs) await pool.end();
  };
  return {
    inbox: createInbox({ db, codec, log, receiver: new Receiver(db, codec), door, arrivals }),
    fence: createFence(db),
    outcomes: createOutcomes(db),
    queries: createQueries(db, codec),
    prune: createPrune(db),

    async migrate() {
      const applied = await migrate(pool);
      if (applied.length > 0) log.info({ applied }, 'the ledger was migrated');
    },

    async ping() {
      const [row] = await db.run<{ ready: boolean }>({
        name: 'ping',
        text: `select to_regclass('syncline.fence') is not null as ready`,
        values: [],
        timeoutMs: 2_000,
      });
      if (!row?.ready) throw new Error('the database has no ledger yet: it was not migrated');
    },

    close: () => (closing ??= close()),
  };
}
