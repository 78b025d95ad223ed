import { setTimeout as delay } from 'node:timers/promises';
import { type Connection, isGrpcServiceError } from '@temporalio/client';

/** Every search attribute that Syncline writes, by name (design.md §11): `syncline doctor` checks the same table. */
export const searchAttributes = {
  SynclineSync: 'Keyword',
  SynclineSource: 'Keyword',
  SynclineAccount: 'Keyword',
  SynclineOutcome: 'Keyword',
  SynclineWaiting: 'Keyword',
  SynclineKeys: 'KeywordList',
} as const;

/** `temporal.api.enums.v1.IndexedValueType`; its package is not a dependency of ours. */
export const INDEXED_VALUE_TYPE = { Keyword: 2, KeywordList: 7 } as const;

/** gRPC status codes, as numbers on the wire. */
const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;
const DAY_SECONDS = 86_400;
const USABLE_TIMEOUT_MS = 30_000;

interface NamespaceOptions {
  namespace: string;
  /** Deduplication by workflow id lasts as long as this. A longer retention already set is kept. @default 30 */
  retentionDays?: number;
}

/**
 * Makes a namespace fit for Syncline: registered, with our search attributes, keeping closed runs for 30 days. Changes
 * only what is missing, so it may run at every start. For the sandbox and tests: a real cluster is its owner's to change.
 */
export async function prepareNamespace(connection: Connection, options: NamespaceOptions): Promise<void> {
  const { namespace, retentionDays = 30 } = options;
  await register(connection, namespace, retentionDays);
  await raiseRetention(connection, namespace, retentionDays);
  await addSearchAttributes(connection, namespace);
}

async function register(connection: Connection, namespace: string, retentionDays: number): Promise<void> {
  const { workflowService } = connection;
  try {
    await workflowService.describeNamespace({ namespace });
    return;
  } catch (error) {
    if (!hasCode(error, NOT_FOUND)) throw error;
  }
  await workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: days(retentionDays) }).catch((error: unknown) => {
    if (!hasCode(error, ALREADY_EXISTS)) throw error; // another starter was first
  });
}

async function raiseRetention(connection: Connection, namespace: string, retentionDays: number): Promise<void> {
  const { config } = await eventually(() => connection.workflowService.describeNamespace({ namespace }));
  if (Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) >= retentionDays * DAY_SECONDS) return;
  await connection.workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl: days(retentionDays) } });
}

async function addSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const { operatorService } = connection;
  // The part of the server that serves these calls learns of a new namespace last: once it answers, all of it does.
  const registered = await eventually(() => operatorService.listSearchAttributes({ namespace }));
  const missing = Object.entries(searchAttributes).filter(([name]) => registered.customAttributes?.[name] === undefined);
  if (missing.length === 0) return;
  await operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map(([name, type]) => [name, INDEXED_VALUE_TYPE[type]])),
  });
  // A run started before every host knows them fails with "no mapping defined", so wait until a query accepts them all.
  const query = missing.map(([name]) => `${name} IS NULL`).join(' AND ');
  await eventually(() => connection.workflowService.countWorkflowExecutions({ namespace, query }));
}

async function eventually<T>(call: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + USABLE_TIMEOUT_MS;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(100);
    }
  }
}

type Duration = NonNullable<NonNullable<Parameters<Connection['workflowService']['registerNamespace']>[0]>['workflowExecutionRetentionPeriod']>;

/** The generated types ask for a Long; the encoder takes any whole number, and 30 days is far below 2^53 seconds. */
function days(count: number): Duration {
  return { seconds: (count * DAY_SECONDS) as unknown as Long };
}

function hasCode(error: unknown, code: number): boolean {
  return isGrpcServiceError(error) && (error.code as number) === code;
}
