import { Client, Connection } from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import { createSupervisor, type NodeProcess, type Supervisor } from '../../client/sandbox/processes';
import type { WebhookSource } from '../../connectors/webhook';
import { createLedger, type Ledger } from '../../ledger';
import { createCodec, dataConverter } from '../../platform/codec';
import { createKeyHmac } from '../../platform/hmac';
import { sandboxSecret, sandboxStandardWebhooksSecret } from '../../platform/secrets';
import { accountVariable } from '../../syncs/accounts-api';
import { createTestDatabase, createTestNamespace } from './servers';

/** HubSpot properties the sample syncs write beyond the default ones. */
export const customProperties = ['last_order_name', 'last_order_total', 'last_order_date', 'stripe_customer_id', 'billing_delinquent', 'lead_score'];

/** A simulator process, with its remote control. */
export interface Sim {
  url: string;
  stats(): Promise<any>;
  records(): Promise<any[]>;
  fault(fault: Record<string, unknown> | Record<string, unknown>[]): Promise<void>;
  clearFaults(): Promise<void>;
  configure(change: Record<string, unknown>): Promise<void>;
}

export interface StackOptions {
  name: string;
  /** @default 1 */
  workers?: number;
  /** Arguments of the HubSpot simulator. */
  hubspot?: string[];
  env?: Record<string, string>;
  /** What a worker process runs. @default 'workers/main.ts' */
  worker?: string;
  /** Simulators of more vendors: by vendor, arguments of their process. Account `main` of each is there. */
  vendors?: Record<string, string[]>;
  /** Temporal elsewhere than the shared test server. */
  temporal?: { address: string; namespace: string };
}

/** The whole product as processes, on a database and namespace of its own. */
export interface Stack {
  readonly env: Record<string, string>;
  readonly namespace: string;
  readonly ledger: Ledger;
  readonly client: Client;
  readonly hubspot: Sim;
  readonly leadscore: Sim;
  /** Those of `vendors`. */
  readonly sims: Readonly<Record<string, Sim>>;
  readonly workers: NodeProcess[];
  readonly gateway: NodeProcess;
  gatewayUrl(): string;
  /** Every line its processes have printed. */
  readonly printed: readonly string[];
  startWorker(): Promise<NodeProcess>;
  startGateway(port?: number): Promise<NodeProcess>;
  /** Signs and posts like the provider would; returns status and JSON. */
  post(
    path: string,
    source: WebhookSource,
    topic: string,
    eventId: string,
    body: unknown,
    change?: (headers: Record<string, string>) => void,
  ): Promise<{ status: number; body: any }>;
  /** Resolves when every inbox row has an outcome; the counts by outcome. Fails with what is open after `ms`. */
  settled(rows: number, ms?: number): Promise<Record<string, number>>;
  stop(): Promise<void>;
}

/** Starts it. Processes print nothing unless `SYNCLINE_TEST_LOG` is set. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const supervisor = createSupervisor();
  try {
    return await startAll(options, supervisor);
  } catch (error) {
    await supervisor.killAll();
    throw error;
  }
}

async function startAll(options: StackOptions, supervisor: Supervisor): Promise<Stack> {
  const database = await createTestDatabase(options.name);
  const temporal = options.temporal ?? (await createTestNamespace(options.name));
  const printed: string[] = [];
  const log = (line: string) => {
    printed.push(line);
    if (process.env.SYNCLINE_TEST_LOG) process.stderr.write(`${line}\n`);
  };

  const sim = async (vendor: string, args: string[]): Promise<Sim> => {
    const { ready } = await supervisor.spawnNode({ name: `sim-${vendor}`, entry: 'connectors/simulate.ts', args: ['--vendor', vendor, ...args], log });
    const url = String(ready.url);
    const call = async (method: string, path: string, body?: unknown) => {
      const response = await fetch(`${url}/_sim/${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      if (!response.ok) throw new Error(`simulator: ${method} ${path}: ${await response.text()}`);
      return response.json();
    };
    return {
      url,
      stats: () => call('GET', 'stats'),
      records: () => call('GET', 'records') as Promise<any[]>,
      fault: async (fault) => void (await call('POST', 'faults', fault)),
      clearFaults: async () => void (await call('DELETE', 'faults')),
      configure: async (change) => void (await call('POST', 'config', change)),
    };
  };

  const hubspot = await sim('hubspot', ['--plan', 'professional', ...customProperties.flatMap((name) => ['--property', name]), ...(options.hubspot ?? [])]);
  const leadscore = await sim('leadscore', []);
  const sims: Record<string, Sim> = {};
  for (const [vendor, args] of Object.entries(options.vendors ?? {})) sims[vendor] = await sim(vendor, args);
  const env: Record<string, string> = {
    SYNCLINE_MODE: 'sandbox',
    SYNCLINE_DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    SYNCLINE_METRICS_PORT: '0',
    GATEWAY_PORT: '0',
    SYNCLINE_LOG_LEVEL: 'info',
    SYNCLINE_KEY_SECRET: sandboxSecret('SYNCLINE_KEY_SECRET'),
    SYNCLINE_HUBSPOT_MAIN_BASE_URL: hubspot.url,
    SYNCLINE_HUBSPOT_MAIN_TOKEN: sandboxSecret('SYNCLINE_HUBSPOT_MAIN_TOKEN'),
    SYNCLINE_LEADSCORE_SCORING_BASE_URL: leadscore.url,
    SYNCLINE_LEADSCORE_SCORING_API_KEY: sandboxSecret('SYNCLINE_LEADSCORE_SCORING_API_KEY'),
    SYNCLINE_SHOPIFY_SHOP_WEBHOOK_SECRET: sandboxSecret('SYNCLINE_SHOPIFY_SHOP_WEBHOOK_SECRET'),
    SYNCLINE_STRIPE_BILLING_WEBHOOK_SECRET: sandboxSecret('SYNCLINE_STRIPE_BILLING_WEBHOOK_SECRET'),
    SYNCLINE_STANDARD_WEBHOOKS_SITE_WEBHOOK_SECRET: sandboxStandardWebhooksSecret('SYNCLINE_STANDARD_WEBHOOKS_SITE_WEBHOOK_SECRET'),
    ...Object.fromEntries(Object.entries(sims).map(([vendor, { url }]) => [accountVariable(vendor, 'main', 'baseUrl'), url])),
    ...options.env,
  };

  const ledger = createLedger({ connectionString: database.url, codec: createCodec().bodies });
  await ledger.migrate();
  const connection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection, namespace: temporal.namespace, dataConverter: dataConverter(createCodec()) });

  const workers: NodeProcess[] = [];
  const startWorker = async () => {
    const worker = await supervisor.spawnNode({ name: 'worker', entry: options.worker ?? 'workers/main.ts', env, log });
    workers.push(worker);
    return worker;
  };
  let gateway: NodeProcess;
  const startGateway = async (port?: number) => {
    gateway = await supervisor.spawnNode({
      name: 'gateway',
      entry: 'client/gateway/main.ts',
      env: { ...env, ...(port ? { GATEWAY_PORT: String(port) } : {}) },
      log,
    });
    return gateway;
  };
  gateway = await startGateway();
  for (let index = 0; index < (options.workers ?? 1); index++) await startWorker();

  return {
    env,
    namespace: temporal.namespace,
    ledger,
    client,
    printed,
    hubspot,
    leadscore,
    sims,
    workers,
    get gateway() {
      return gateway;
    },
    gatewayUrl: () => String(gateway.ready.url),
    startWorker,
    startGateway,
    async post(path, source, topic, eventId, body, change) {
      const url = `${String(gateway.ready.url)}${path}`;
      const raw = Buffer.from(JSON.stringify(body));
      const secret = env[`SYNCLINE_${source.vendor.toUpperCase().replaceAll('-', '_')}_${accountOf[source.vendor]}_WEBHOOK_SECRET`] ?? '';
      const headers = {
        'content-type': 'application/json',
        ...(await source.sign({ method: 'POST', url, body: raw, secret, now: Date.now(), topic, eventId })),
      };
      change?.(headers);
      const response = await fetch(url, { method: 'POST', headers, body: raw });
      return { status: response.status, body: await response.json().catch(() => null) };
    },
    async settled(rows, ms = 60_000) {
      const until = Date.now() + ms;
      for (;;) {
        const funnel = await ledger.queries.funnel();
        const open = funnel.reduce((sum, line) => sum + line.waitingToStart + line.running, 0);
        const received = funnel.reduce((sum, line) => sum + line.received, 0);
        if (open === 0 && received >= rows) {
          const counts: Record<string, number> = {};
          for (const line of funnel) for (const [outcome, count] of Object.entries(line.outcomes)) counts[outcome] = (counts[outcome] ?? 0) + (count ?? 0);
          return counts;
        }
        if (Date.now() > until) throw new Error(`after ${ms} ms: ${received} of ${rows} received, ${open} still open: ${JSON.stringify(funnel)}`);
        await delay(100);
      }
    },
    async stop() {
      await supervisor.stopAll();
      await ledger.close();
      await connection.close();
      await database.drop();
    },
  };
}

/** The sample syncs' source accounts. */
const accountOf: Record<string, string> = { shopify: 'SHOP', stripe: 'BILLING', 'standard-webhooks': 'SITE' };

/** HMAC of a record key as the stack's processes make it. */
export const keyHmac = createKeyHmac([sandboxSecret('SYNCLINE_KEY_SECRET')]);

/** A body as Shopify sends it for `customers/update`. */
export function customerBody(email: string | null, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { id: 207119551, email, first_name: 'Ada', last_name: 'Lovelace', phone: null, tags: '', updated_at: new Date().toISOString(), ...more };
}
