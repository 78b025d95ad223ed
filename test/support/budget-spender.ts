import { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import pino from 'pino';
import { setTimeout as delay } from 'node:timers/promises';
import { hubspot } from '../../connectors/hubspot';
import { readContacts } from '../../connectors/hubspot/operations/read-contacts';
import { createVendorHttp } from '../../connectors/http';
import { inProcessGate } from '../../bench/budget/in-process-gate';
import { printReady } from '../../platform/logging';
import type { Lane } from '../../schemas/plan';
import { vendorAccount } from '../../syncs/accounts-api';
import type { Sync } from '../../syncs/define-sync';
import { createGate } from '../../workers/budgets';
import { workflowBundle } from '../../workers/bundle';
import { budgetTaskQueue } from '../../workflows/ids';

/*
 * A process that does nothing but spend: hosts budgets, leases from them, and calls the vendor as fast as it is let. One
 * line of JSON per second on stdout: what it spent so far.
 */
const env = (name: string, otherwise?: string): string => {
  const value = process.env[name] ?? otherwise;
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};

async function main(): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR', forward: {} } }, shutdownSignals: [] });
  const connection = await NativeConnection.connect({ address: env('TEMPORAL_ADDRESS') });
  const namespace = env('TEMPORAL_NAMESPACE');
  const client = new Client({ connection, namespace });
  const hosting = env('SPENDER_HOSTS', '1') === '1';
  const worker = hosting
    ? await Worker.create({
        connection,
        namespace,
        taskQueue: budgetTaskQueue,
        workflowBundle: await workflowBundle(),
        stickyQueueScheduleToStartTimeout: '1s',
        maxCachedWorkflows: 10,
      })
    : undefined;
  const running = worker?.run();
  const windowMs = Number(env('SPENDER_WINDOW_MS', '10000'));
  const limits = (plan: string | undefined) =>
    hubspot.limits(plan).map((limit) => (limit.kind === 'rolling' && limit.ms === 10_000 ? { ...limit, ms: windowMs } : limit));
  const account = vendorAccount({ ...hubspot, limits }, { name: 'main', plan: 'free' });
  const sync = { id: 'spender', to: { operation: { connector: hubspot }, account }, budget: { lane: 'backfill' } } as unknown as Sync;
  const log = pino({ level: env('SPENDER_LOG', 'warn') }, pino.destination(2));
  const durable = createGate({ syncs: [sync], client: () => client, namespace, log });
  const gate = env('SPENDER_GATE', 'durable') === 'process' ? inProcessGate(100, windowMs) : durable;
  const http = createVendorHttp({ connector: hubspot, baseUrl: env('SPENDER_URL'), credentials: () => Promise.resolve({ token: 'pat-spender' }), gate });
  const scopes = [{ vendor: 'hubspot', scope: 'main' }];

  const spent = { calls: 0, refused: 0, liveMs: [] as number[] };
  let stopping = false;
  const one = async (lane: Lane): Promise<number> => {
    const asked = performance.now();
    try {
      const permit = await gate.acquire({ scopes, lane, sync: `spender-${lane}` });
      spent.calls++;
      await readContacts(http.call({ scopes, lane, sync: `spender-${lane}`, permit }), ['ada@example.com']);
    } catch (error) {
      if ((error as { code?: string }).code === 'RATE_LIMITED') spent.refused++;
      else if ((error as { code?: string }).code !== 'NOT_FOUND') log.warn({ err: error }, 'call failed');
    }
    return performance.now() - asked;
  };
  const bulk = async (): Promise<void> => {
    while (!stopping) await one('backfill');
  };
  const live = async (perSecond: number): Promise<void> => {
    while (!stopping) {
      await delay((-1_000 / perSecond) * Math.log(1 - Math.random()));
      void one('live').then((ms) => spent.liveMs.push(Math.round(ms)));
    }
  };
  const busyMs = Number(env('SPENDER_BUSY_MS', '0'));
  if (busyMs > 0) setTimeout(() => (stopping = true), busyMs);
  for (let count = 0; count < Number(env('SPENDER_BULK', '50')); count++) void bulk();
  if (Number(env('SPENDER_LIVE', '0')) > 0) void live(Number(env('SPENDER_LIVE')));
  const report = setInterval(() => process.stdout.write(`${JSON.stringify({ ...spent, at: Date.now() })}\n`), 1_000);
  printReady({ name: 'spender' });

  const stop = async (): Promise<void> => {
    stopping = true;
    clearInterval(report);
    await delay(500);
    process.stdout.write(`${JSON.stringify({ ...spent, at: Date.now(), end: true })}\n`);
    await durable.close();
    worker?.shutdown();
    await running;
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop());
}

main().catch((error: unknown) => {
  process.stderr.write(`${String((error as Error).stack ?? error)}\n`);
  process.exit(1);
});
