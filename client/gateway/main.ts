/** Process entry of the gateway. */
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { createLedger } from '../../ledger';
import type { Ledger } from '../../ledger/port';
import { createCodec } from '../../platform/codec';
import { ConfigError } from '../../platform/config';
import { createLog, type Log, printReady } from '../../platform/logging';
import { SecretError } from '../../platform/secrets';
import { closeOnSignal, runMain } from '../../platform/shutdown';
import { syncs } from '../../syncs';
import type { SourceAccount } from '../../syncs/accounts-api';
import { createReceiver } from '../receive';
import { createWebhookSecrets } from '../receiver/webhook-secrets';
import { loadGatewayConfig } from './config';
import { createGatewayMetrics } from './metrics';
import { createMonitor } from './monitor';
import { createGateway } from './server';

/** Past this a database that is away no longer delays the start: the gateway answers 503 until it is back. */
const startWithoutDatabaseAfterMs = 5_000;
const migrateAgainAfterMs = 2_000;
const temporalDeadlineMs = 1_500;

async function main(): Promise<void> {
  const config = loadGatewayConfig();
  const log = createLog({ name: 'syncline-gateway', level: config.logLevel });
  const secrets = createWebhookSecrets(config.secrets);
  checkSecrets(secrets);

  const ledger = createLedger({
    connectionString: config.databaseUrl,
    codec: createCodec(config.codecKeys).bodies,
    log,
  });
  const connection = Connection.lazy(config.temporal.connection);
  const metrics = createGatewayMetrics();
  const monitor = createMonitor({
    ledger,
    pingTemporal: async () => {
      await connection.withDeadline(Date.now() + temporalDeadlineMs, () => connection.workflowService.getSystemInfo({}));
    },
    onChecked: (now) => metrics.surroundings(now),
    log,
  });
  const inboxFull = (): boolean => (monitor.current().backlog?.rows ?? 0) >= config.maxBacklog;
  const receiver = createReceiver({
    syncs,
    inbox: ledger.inbox,
    secrets,
    publicUrl: () => config.publicUrl ?? listening.url,
    limits: { maxInFlight: config.maxInFlight },
    inboxFull,
    metrics: metrics.receiver,
    log,
  });
  const listening = { url: '' };
  const gateway = createGateway({ receiver, monitor, metrics, inboxFull });

  const stop = new AbortController();
  await Promise.race([migrate(ledger, log, stop.signal), delay(startWithoutDatabaseAfterMs, undefined, { signal: stop.signal })]);
  await monitor.start();
  const { port, url } = await gateway.listen(config);
  listening.url = url;
  closeOnSignal(log, async () => {
    stop.abort();
    await gateway.close();
    monitor.stop();
    await ledger.close();
    await connection.close();
  });
  log.info({ url, publicUrl: config.publicUrl, syncs: syncs.length }, 'gateway is up');
  printReady({ name: 'gateway', port, url });
}

/** Every source account's secret is there now: a missing one shows at the deployment, not at the first webhook. */
function checkSecrets(secrets: (account: SourceAccount) => readonly string[]): void {
  const problems = new Set<string>();
  for (const { on } of syncs) {
    try {
      secrets(on.account);
    } catch (error) {
      if (!(error instanceof SecretError)) throw error;
      problems.add(error.message);
    }
  }
  if (problems.size > 0) throw new ConfigError([...problems]);
}

/** Tries until it worked: a gateway that starts before its database must not need a second start. */
async function migrate(ledger: Ledger, log: Log, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    try {
      return await ledger.migrate();
    } catch (error) {
      log.warn({ err: error }, 'migrations could not be applied yet');
      await delay(migrateAgainAfterMs, undefined, { signal: stop }).catch(() => undefined);
    }
  }
}

runMain(main, { portVariable: 'GATEWAY_PORT' });
