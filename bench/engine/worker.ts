/** Process: our worker as `workers/main.ts` runs it, counting its statements. */
import type { QueryConfig } from 'pg';
import { createLedger } from '../../ledger';
import { createPool } from '../../ledger/database';
import { createCodec } from '../../platform/codec';
import { createLog } from '../../platform/logging';
import { vendorAccount } from '../../syncs/accounts-api';
import type { Sync } from '../../syncs/define-sync';
import shopCustomerToCrm from '../../syncs/shop-customer-to-crm/sync';
import { loadWorkerConfig } from '../../workers/config';
import { wideAccount } from '../../test/support/wide-account';
import { installRuntime } from '../../workers/runtime';
import { startWorker } from '../../workers/worker';
import { serveCommands } from '../control';

/** The sample sync, on an account whose limits are out of reach, or on the plan that `SYNCLINE_BENCH_PLAN` names. */
function benched(sync: Sync): Sync {
  const { account } = sync.to;
  const plan = process.env.SYNCLINE_BENCH_PLAN;
  return { ...sync, to: { ...sync.to, account: plan ? vendorAccount(account.connector, { ...account, plan }) : wideAccount(account) } };
}

async function main(): Promise<void> {
  const config = loadWorkerConfig();
  const log = createLog({ name: 'worker', level: config.logLevel });
  await installRuntime({ log, metricsHost: '127.0.0.1', metricsPort: config.metricsPort });
  const { pool, statements } = countingPool(config.databaseUrl, log);
  const ledger = createLedger({ pool, codec: createCodec(config.codecKeys).bodies, log });
  await ledger.migrate();
  const worker = await startWorker({ config, syncs: [benched(shopCustomerToCrm)], ledger, log });
  const url = await serveCommands({ statements: () => Object.fromEntries(statements) });
  process.stdout.write(`${JSON.stringify({ ready: true, name: 'worker', url })}\n`);

  const stop = async (): Promise<void> => {
    await worker.stop();
    await ledger.close();
    await pool.end();
    process.exit(0);
  };
  process.once('SIGTERM', () => void stop());
  worker.done.catch((error: unknown) => {
    log.fatal({ err: error }, 'the worker died');
    process.exit(1);
  });
}

/** The ledger's pool, counting statements by name: how many, and the milliseconds from call to answer. */
function countingPool(connectionString: string, log: Parameters<typeof createPool>[1]) {
  const pool = createPool(connectionString, log);
  const statements = new Map<string, { count: number; ms: number }>();
  const query = pool.query.bind(pool) as (config: QueryConfig) => Promise<unknown>;
  const counted = async (config: QueryConfig): Promise<unknown> => {
    const startedAt = performance.now();
    try {
      return await query(config);
    } finally {
      const name = config.name?.replace(/^syncline-/, '') ?? 'other';
      const sum = statements.get(name) ?? { count: 0, ms: 0 };
      statements.set(name, { count: sum.count + 1, ms: sum.ms + performance.now() - startedAt });
    }
  };
  pool.query = counted as never;
  return { pool, statements };
}

void main();
