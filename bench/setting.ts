import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Connection } from '@temporalio/client';
import { prepareNamespace } from '../client/sandbox/namespace';
import { ensureDatabase, type PostgresServer, startPostgres } from '../client/sandbox/postgres';
import { createSupervisor, type Supervisor } from '../client/sandbox/processes';
import { findTemporalBinary } from '../client/sandbox/temporal-binary';
import { startTemporal, type TemporalServer } from '../client/sandbox/temporal-server';
import { sandboxSecret, sandboxStandardWebhooksSecret } from '../platform/secrets';

/** Fresh servers and processes of one bench, on free ports; `TEMPORAL_ADDRESS` and `SYNCLINE_DATABASE_URL` are not looked at. */
export interface Setting {
  readonly supervisor: Supervisor;
  /** PostgreSQL as the sandbox runs it: what is committed is on the disk. */
  postgres(): Promise<PostgresServer>;
  /** An empty database; the address. */
  database(name: string): Promise<string>;
  /** A Temporal dev server as the sandbox runs it, with these namespaces prepared for Syncline. */
  temporal(keep: 'memory' | 'file', namespaces: readonly string[]): Promise<TemporalServer>;
  /** HubSpot's simulator; without limits unless `args` say otherwise. */
  simulator(args?: readonly string[]): Promise<{ url: string; pid: number; stop(): Promise<void> }>;
  /** Environment of the product's processes. */
  env(parts: { databaseUrl: string; temporalAddress: string; namespace: string; hubspotUrl?: string }): Record<string, string>;
  /** Ends everything and removes the files. */
  close(): Promise<void>;
}

export async function createSetting(log: (line: string) => void): Promise<Setting> {
  const supervisor = createSupervisor();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'syncline-bench-'));
  if (process.getuid?.() === 0) await chmod(folder, 0o755); // then it is not root who runs PostgreSQL and must get in
  if (process.env.SYNCLINE_BENCH_PROFILE) await profile(folder, process.env.SYNCLINE_BENCH_PROFILE);
  const printed = (line: string) => {
    if (process.env.SYNCLINE_BENCH_LOG || /"level":"(error|fatal)"/.test(line) || !line.startsWith('{')) log(line);
  };
  let postgres: Promise<PostgresServer> | undefined;
  const setting: Setting = {
    supervisor,

    postgres() {
      const start = async () => supervisor.add(await startPostgres({ dataDir: path.join(folder, 'postgres'), port: 0, log: () => undefined }));
      return (postgres ??= start());
    },

    async database(name) {
      const { url: server } = await setting.postgres();
      await ensureDatabase(server, name);
      const url = new URL(server);
      url.pathname = `/${name}`;
      return url.href;
    },

    async temporal(keep, namespaces) {
      const binary = await findTemporalBinary({ log });
      const file = keep === 'file' ? { dbFile: path.join(folder, 'temporal', 'temporal.db') } : {};
      const server = supervisor.add(await startTemporal({ binary, port: 0, ...file, log }));
      const connection = await Connection.connect({ address: server.address });
      for (const namespace of namespaces) await prepareNamespace(connection, { namespace });
      await connection.close();
      return server;
    },

    async simulator(args = ['--limits', 'unlimited']) {
      const vendor = ['--vendor', 'hubspot', ...args];
      const { ready, pid, stop } = await supervisor.spawnNode({ name: 'simulator', entry: 'connectors/simulate.ts', args: vendor, log: printed });
      return { url: String(ready.url), pid, stop };
    },

    env: ({ databaseUrl, temporalAddress, namespace, hubspotUrl = 'http://127.0.0.1:9' }) => ({
      SYNCLINE_MODE: 'sandbox',
      SYNCLINE_DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: temporalAddress,
      TEMPORAL_NAMESPACE: namespace,
      SYNCLINE_METRICS_PORT: '0',
      GATEWAY_PORT: '0',
      SYNCLINE_KEY_SECRET: sandboxSecret('SYNCLINE_KEY_SECRET'),
      SYNCLINE_HUBSPOT_MAIN_BASE_URL: hubspotUrl,
      SYNCLINE_HUBSPOT_MAIN_TOKEN: sandboxSecret('SYNCLINE_HUBSPOT_MAIN_TOKEN'),
      SYNCLINE_LEADSCORE_SCORING_API_KEY: sandboxSecret('SYNCLINE_LEADSCORE_SCORING_API_KEY'),
      SYNCLINE_SHOPIFY_SHOP_WEBHOOK_SECRET: sandboxSecret('SYNCLINE_SHOPIFY_SHOP_WEBHOOK_SECRET'),
      SYNCLINE_STRIPE_BILLING_WEBHOOK_SECRET: sandboxSecret('SYNCLINE_STRIPE_BILLING_WEBHOOK_SECRET'),
      SYNCLINE_STANDARD_WEBHOOKS_SITE_WEBHOOK_SECRET: sandboxStandardWebhooksSecret('SYNCLINE_STANDARD_WEBHOOKS_SITE_WEBHOOK_SECRET'),
    }),

    async close() {
      await supervisor.stopAll();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
  return setting;
}

/**
 * `SYNCLINE_BENCH_PROFILE=<folder>`: every process of ours leaves a CPU profile there, one per thread, when it ends. Node takes
 * the flag on its command line only, so children get a program that adds it.
 */
async function profile(folder: string, into: string): Promise<void> {
  const wrapper = path.join(folder, 'node');
  await writeFile(wrapper, `#!/bin/sh\nexec "${process.execPath}" --cpu-prof --cpu-prof-dir="${path.resolve(into)}" "$@"\n`, { mode: 0o755 });
  process.execPath = wrapper;
}
