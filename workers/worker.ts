import { Client } from '@temporalio/client';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createActivities } from '../activities';
import type { Ledger } from '../ledger/port';
import { createCodec, dataConverter } from '../platform/codec';
import { createKeyHmac } from '../platform/hmac';
import type { SyncPlan } from '../schemas/plan';
import { compilePlan, type Sync } from '../syncs/define-sync';
import { mainTaskQueue, vendorTaskQueue } from '../workflows/ids';
import { workflowBundle } from './bundle';
import type { WorkerConfig } from './config';
import { InProcessGate } from './gate/in-process-gate';
import { InProcessHealth } from './gate/in-process-health';
import { createLinks, limitsByScope, vendorAccounts } from './links';
import { Starter } from './starter';
import { Sweeper } from './sweeper';

/** A worker process: workflows, activities per vendor account, starter and sweeper. */
export interface RunningWorker {
  /** Drains: no new starts, unsent records back to their queues, calls under way finish and are booked. */
  stop(): Promise<void>;
  /** Rejects when a worker dies. */
  done: Promise<void>;
}

/** The composition root: everything an activity reaches the world with is made here. */
export async function startWorker(options: { config: WorkerConfig; syncs: readonly Sync[]; ledger: Ledger; log: Logger }): Promise<RunningWorker> {
  const { config, syncs, ledger, log } = options;
  const accounts = vendorAccounts(syncs);
  const gate = new InProcessGate(limitsByScope(accounts));
  const links = createLinks({ accounts, secrets: config.secrets, env: process.env, gate });
  const keyHmac = createKeyHmac(config.keySecrets);
  const activities = createActivities({
    syncs: new Map(syncs.map((sync) => [sync.id, sync])),
    ledger,
    gate,
    health: new InProcessHealth(),
    link: (vendor, account) => links.link(vendor, account),
    keyHmac: (key) => keyHmac.current(key),
    log: log.child({ component: 'activities' }),
    now: () => Date.now(),
    random: () => Math.random(),
  });

  const connection = await NativeConnection.connect(config.temporal.connection);
  const { namespace } = config.temporal;
  const converter = dataConverter(createCodec(config.codecKeys));
  const base = {
    connection,
    namespace,
    activities,
    dataConverter: converter,
    // What is unsent goes back at once; a call under way and its booking get the time they need.
    shutdownGraceTime: 0,
    shutdownForceTime: '30s',
  } satisfies Partial<WorkerOptions>;
  const workers = await Promise.all([
    workflowBundle().then((bundle) =>
      Worker.create({
        ...base,
        taskQueue: mainTaskQueue,
        workflowBundle: bundle,
        maxConcurrentLocalActivityExecutions: 200,
        maxConcurrentWorkflowTaskExecutions: 100,
        maxCachedWorkflows: 1_000,
      }),
    ),
    ...vendorQueues(syncs).map(({ taskQueue, slots }) => Worker.create({ ...base, taskQueue, maxConcurrentActivityTaskExecutions: slots })),
  ]);

  const client = new Client({ connection, namespace, dataConverter: converter });
  const starter = new Starter({
    client,
    inbox: ledger.inbox,
    outcomes: ledger.outcomes,
    plans: new Map<string, SyncPlan>(syncs.map((sync) => [sync.id, compilePlan(sync)])),
    owner: `${process.pid}`,
    concurrency: config.startConcurrency,
    log: log.child({ component: 'starter' }),
  });
  const sweeper = new Sweeper({ client, inbox: ledger.inbox, outcomes: ledger.outcomes, olderThanMs: config.lostCheckMs, log: log.child({ component: 'sweeper' }) });

  const running = Promise.all(workers.map((worker) => worker.run()));
  await starter.start();
  sweeper.start();
  return {
    done: running.then(() => undefined),
    async stop() {
      await starter.stop();
      await sweeper.stop();
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await running.catch(() => undefined);
      links.close();
      await connection.close();
    },
  };
}

/** Two queues per vendor account. Live slots hold two batches: one in the call, one collecting. */
function vendorQueues(syncs: readonly Sync[]): { taskQueue: string; slots: number }[] {
  const maxBatch = new Map<string, { vendor: string; account: string; batch: number }>();
  for (const { to } of syncs) {
    const vendor = to.operation.connector.vendor;
    const id = `${vendor}/${to.account.name}`;
    maxBatch.set(id, { vendor, account: to.account.name, batch: Math.max(to.operation.maxBatch, maxBatch.get(id)?.batch ?? 0) });
  }
  return [...maxBatch.values()].flatMap(({ vendor, account, batch }) => [
    { taskQueue: vendorTaskQueue(vendor, account, 'live'), slots: Math.max(20, 2 * batch) },
    { taskQueue: vendorTaskQueue(vendor, account, 'bulk'), slots: Math.max(10, batch) },
  ]);
}
