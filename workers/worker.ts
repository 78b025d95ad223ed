import { Client } from '@temporalio/client';
import { NativeConnection, Worker, type WorkerOptions, type WorkerTuner } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createActivities } from '../activities';
import type { Gate } from '../connectors/permit';
import type { Ledger } from '../ledger/port';
import { createCodec, dataConverter } from '../platform/codec';
import { createKeyHmac } from '../platform/hmac';
import { budgetName, type BudgetScope, type Lane, type SyncPlan } from '../schemas/plan';
import { budgetScopes } from '../syncs/accounts-api';
import { compilePlan, scopesOf, vendorAccounts, type Spender, type Sync } from '../syncs/define-sync';
import { warehouseAccounts, type TableSync } from '../syncs/define-table-sync';
import { budgetTaskQueue, mainTaskQueue, vendorTaskQueue } from '../workflows/ids';
import { createWebhook } from './alerts';
import { createGate } from './budgets';
import { workflowBundle } from './bundle';
import type { WorkerConfig } from './config';
import { queueLanes } from './gate/durable-gate';
import { GatedSlots } from './gate/gated-slots';
import { createLinks } from './links';
import { ensureSchedules } from './schedules';
import { Starter } from './starter';
import { Sweeper } from './sweeper';
import { WarehouseQueues } from './warehouse-queues';
import { createWarehouses } from './warehouses';

/** Longest wait for the first leases at start, milliseconds. */
const firstLeaseMs = 5_000;

/** For giving leases back at the end, milliseconds; a lease not given back runs out by itself. */
const goodbyeMs = 2_000;

/** A worker process: workflows, activities per vendor account, starter and sweeper. */
export interface RunningWorker {
  /** Drains: no new starts, unsent records back to their queues, calls under way finish and are booked. */
  stop(): Promise<void>;
  /** Rejects when a worker dies. */
  done: Promise<void>;
}

/** What a worker process is made of. */
export interface WorkerParts {
  config: WorkerConfig;
  syncs: readonly Sync[];
  tableSyncs?: readonly TableSync[];
  ledger: Ledger;
  log: Logger;
}

/** The composition root: everything an activity reaches the world with is made here. */
export async function startWorker(options: WorkerParts): Promise<RunningWorker> {
  const { config, syncs, tableSyncs = [], ledger, log } = options;
  const spenders: Spender[] = [...syncs, ...tableSyncs];
  // Made before any connection: a mistake in the configuration is named before a server that is away is.
  const temporal: { client?: Client } = {};
  const { namespace } = config.temporal;
  const gate = createGate({
    syncs: spenders,
    client: () => temporal.client!,
    namespace,
    log: log.child({ component: 'budget' }),
    alertWebhook: config.alertWebhook,
  });
  const tell = createWebhook({ webhook: config.alertWebhook, log });
  const links = createLinks({ accounts: vendorAccounts(spenders), secrets: config.secrets, env: process.env, gate });
  const warehouses = createWarehouses(tableSyncs, config.secrets);
  const keyHmac = createKeyHmac(config.keySecrets);
  const activities = createActivities({
    syncs: new Map(syncs.map((sync) => [sync.id, sync])),
    tables: { syncs: new Map(tableSyncs.map((sync) => [sync.id, sync])), warehouse: (name) => warehouses.get(name) },
    ledger,
    gate,
    health: gate,
    link: (vendor, account) => links.link(vendor, account),
    keyHmac: (key) => keyHmac.current(key),
    log: log.child({ component: 'activities' }),
    notify: (message) => void tell(message).catch((error: unknown) => log.error({ err: error, id: message.id }, 'nobody took an alert')),
    now: () => Date.now(),
    random: () => Math.random(),
  });

  const connection = await NativeConnection.connect(config.temporal.connection);
  const converter = dataConverter(createCodec(config.codecKeys));
  const client = (temporal.client = new Client({ connection, namespace, dataConverter: converter }));
  const base = {
    connection,
    namespace,
    activities,
    dataConverter: converter,
    // What is unsent goes back at once; a call under way and its booking get the time they need.
    shutdownGraceTime: 0,
    shutdownForceTime: '30s',
  } satisfies Partial<WorkerOptions>;
  const bundle = await workflowBundle();
  const budgets = await Worker.create({
    ...base,
    taskQueue: budgetTaskQueue,
    workflowBundle: bundle,
    maxCachedWorkflows: 100,
    // When the process that hosts a budget dies, another takes it over within this and a workflow task's timeout.
    stickyQueueScheduleToStartTimeout: '1s',
  });
  const workers = await Promise.all([
    Worker.create({
      ...base,
      taskQueue: mainTaskQueue,
      workflowBundle: bundle,
      maxConcurrentLocalActivityExecutions: 200,
      maxConcurrentWorkflowTaskExecutions: 100,
      maxCachedWorkflows: 1_000,
    }),
    ...vendorQueues(spenders).map(({ taskQueue, slots, budgets: spentFrom, lanes }) => {
      // Asked several times a second per queue: the first that may go is answer enough.
      const closedForMs = (): number => {
        let least = Infinity;
        for (const scopes of spentFrom) {
          for (const lane of lanes) {
            least = Math.min(least, gate.closedForMs(scopes, lane));
            if (least === 0) return 0;
          }
        }
        return least;
      };
      return Worker.create({ ...base, taskQueue, tuner: tunerOf(new GatedSlots({ slots, closedForMs })) });
    }),
  ]);

  const starter = new Starter({
    client,
    inbox: ledger.inbox,
    outcomes: ledger.outcomes,
    plans: new Map<string, SyncPlan>(syncs.map((sync) => [sync.id, compilePlan(sync)])),
    owner: `${process.pid}`,
    concurrency: config.startConcurrency,
    log: log.child({ component: 'starter' }),
  });
  const sweeper = new Sweeper({
    client,
    inbox: ledger.inbox,
    outcomes: ledger.outcomes,
    olderThanMs: config.lostCheckMs,
    log: log.child({ component: 'sweeper' }),
  });

  const queues = new WarehouseQueues({
    warehouses,
    exclusive: new Set(warehouseAccounts(tableSyncs).flatMap(({ engine, name }) => (engine === 'duckdb' ? [name] : []))),
    create: (taskQueue) => Worker.create({ ...base, taskQueue, maxConcurrentActivityTaskExecutions: 10 }),
    log: log.child({ component: 'warehouses' }),
  });

  const running = Promise.all(workers.map((worker) => worker.run()));
  await queues.start();
  const hosting = budgets.run();
  await firstLeases(gate, spenders);
  await ensureSchedules(client, tableSyncs, log.child({ component: 'schedules' }));
  await starter.start();
  sweeper.start();
  return {
    done: Promise.race([queues.failed, Promise.all([running, hosting]).then(() => undefined)]),
    async stop() {
      await starter.stop();
      await sweeper.stop();
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await Promise.all([running.catch(() => undefined), queues.stop()]);
      // The last calls are done: what is left of the leases goes back at once, while this process may be the budgets' host.
      await Promise.race([gate.close(), new Promise((resolve) => setTimeout(resolve, goodbyeMs).unref())]);
      if (budgets.getState() === 'RUNNING') budgets.shutdown();
      await hosting.catch(() => undefined);
      links.close();
      await Promise.all([...warehouses.values()].map((warehouse) => warehouse.stop()));
      await connection.close();
    },
  };
}

/** A record that comes first should not wait for a budget to be found. Without an answer the worker starts all the same. */
async function firstLeases(gate: Gate, syncs: readonly Spender[]): Promise<void> {
  const scopes = syncs.flatMap((sync) => [...scopesOf(sync), ...(sync.enrich ? budgetScopes(sync.enrich.account, sync.enrich.enrichment.quota) : [])]);
  const each = new Map(scopes.map((scope) => [budgetName(scope), scope]));
  await Promise.all(
    [...each.values()].map(async (scope) => {
      const signal = AbortSignal.timeout(firstLeaseMs);
      const permit = await gate.acquire({ scopes: [scope], lane: 'live', sync: 'worker', signal }).catch(() => null);
      permit?.giveBack();
    }),
  );
}

/** Activities through the gate; the other kinds of tasks don't come to a vendor's queue. */
function tunerOf(activityTaskSlotSupplier: GatedSlots): WorkerTuner {
  const few = { type: 'fixed-size', numSlots: 1 } as const;
  return { activityTaskSlotSupplier, workflowTaskSlotSupplier: { ...few, numSlots: 2 }, localActivityTaskSlotSupplier: few, nexusTaskSlotSupplier: few };
}

interface VendorQueue {
  taskQueue: string;
  slots: number;
  /** What its records spend from: one set of scopes per quota in use. Polled while one of them has room. */
  budgets: BudgetScope[][];
  /** Lanes whose records come here: polled while one of them may go. */
  lanes: readonly Lane[];
}

/** A job's rows never stand in this process's slots: its chunk does. */
const recordsPerCall = (operation: Spender['to']['operation']): number => (operation.kind === 'job' ? 1 : operation.maxBatch);

/** Two queues per vendor account. Live slots hold two batches: one in the call, one collecting. */
function vendorQueues(syncs: readonly Spender[]): VendorQueue[] {
  const accounts = new Map<string, { vendor: string; account: string; batch: number; quotas: Map<string | undefined, BudgetScope[]> }>();
  for (const sync of syncs) {
    const { to } = sync;
    const vendor = to.operation.connector.vendor;
    const id = `${vendor}/${to.account.name}`;
    const known = accounts.get(id);
    const quotas = (known?.quotas ?? new Map<string | undefined, BudgetScope[]>()).set(to.operation.quota, scopesOf(sync));
    accounts.set(id, { vendor, account: to.account.name, batch: Math.max(recordsPerCall(to.operation), known?.batch ?? 0), quotas });
  }
  return [...accounts.values()].flatMap(({ vendor, account, batch, quotas }): VendorQueue[] => {
    const budgets = [...quotas.values()];
    return [
      { taskQueue: vendorTaskQueue(vendor, account, 'live'), slots: Math.max(20, 2 * batch), budgets, lanes: queueLanes('live') },
      { taskQueue: vendorTaskQueue(vendor, account, 'bulk'), slots: Math.max(10, batch), budgets, lanes: queueLanes('backfill') },
    ];
  });
}
