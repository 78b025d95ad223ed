import type { Client } from '@temporalio/client';
import { searchAttributes } from '../../../platform/search-attributes';
import type { Environment } from '../../../platform/secrets';
import type { Sync } from '../../../syncs/define-sync';
import type { TableSync } from '../../../syncs/define-table-sync';
import { mainTaskQueue, vendorTaskQueue, warehouseTaskQueue } from '../../../workflows/ids';
import { isRunningSandbox, restartSandbox } from '../../sandbox/running';
import { CliError } from '../cli-error';
import type { CliContext, TemporalAccess } from '../context';
import { relative, span } from '../output/times';
import { counted } from '../output/words';
import { type Check, checksOf, messageOf } from './check';
import { skewCheck } from './database-checks';
import { serverTime } from './server-time';

const group = 'Temporal';
const { ok, warn, fail, unknown } = checksOf(group);

/** Deduplication by workflow id lasts as long as retention. */
const minRetentionDays = 30;
const dayMs = 86_400_000;

/** The server, its namespace, and who works for it. */
export async function temporalChecks(context: CliContext, syncs: readonly Sync[], tableSyncs: readonly TableSync[]): Promise<Check[]> {
  let access: TemporalAccess;
  try {
    access = await context.temporal();
  } catch (error) {
    const facts = error instanceof CliError ? error.facts : undefined;
    return [fail('connection', facts?.where ?? messageOf(error), facts?.next ?? 'correct the TEMPORAL_* variables or temporal.toml')];
  }
  const { workflowService } = access.client;
  const info = await workflowService.getSystemInfo({});
  const connection = ok('connection', `server ${info.serverVersion} at ${access.address}`);
  const namespace = await namespaceChecks(access);
  if (namespace.some(({ state }) => state === 'fail')) return [connection, ...namespace];
  const queues = queuesOf(syncs, tableSyncs);
  const [attributes, pollers, order, clock] = await Promise.all([
    attributeCheck(access),
    Promise.all(queues.map((queue) => pollerCheck(access, queue, context.env))),
    orderCheck(access, context.env, queues),
    clockCheck(access),
  ]);
  return [connection, ...namespace, attributes, order, clock, ...pollers];
}

async function namespaceChecks({ client, namespace }: TemporalAccess): Promise<Check[]> {
  try {
    const { config } = await client.workflowService.describeNamespace({ namespace });
    const retentionMs = Number(String(config?.workflowExecutionRetentionTtl?.seconds ?? 0)) * 1_000;
    const found = `closed runs are kept for ${span(retentionMs)}`;
    const retention =
      retentionMs >= minRetentionDays * dayMs
        ? ok('retention', found)
        : warn(
            'retention',
            `${found}; later redeliveries are not recognised by their id`,
            `temporal operator namespace update -n ${namespace} --retention ${minRetentionDays * 24}h`,
          );
    return [ok('namespace', namespace), retention];
  } catch (error) {
    return [
      fail(
        'namespace',
        `${namespace}: ${messageOf(error)}`,
        `temporal operator namespace create -n ${namespace} --retention ${minRetentionDays * 24}h, or correct TEMPORAL_NAMESPACE`,
      ),
    ];
  }
}

/** `temporal.api.enums.v1.IndexedValueType` by the SDK's names. */
const valueTypes: Readonly<Record<string, { code: number; cli: string }>> = {
  KEYWORD: { code: 2, cli: 'Keyword' },
  KEYWORD_LIST: { code: 7, cli: 'KeywordList' },
};

async function attributeCheck({ client, namespace }: TemporalAccess): Promise<Check> {
  const wanted = Object.values(searchAttributes);
  try {
    const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace });
    const wrong = wanted.filter(({ name, type }) => Number(customAttributes?.[name] ?? 0) !== valueTypes[type]?.code);
    if (wrong.length === 0) return ok('search attributes', `all ${wanted.length} are there`);
    const commands = wrong.map(
      ({ name, type }) => `temporal operator search-attribute create -n ${namespace} --name ${name} --type ${valueTypes[type]?.cli ?? type}`,
    );
    return fail('search attributes', `missing or of another type: ${wrong.map(({ name }) => name).join(', ')}`, commands.join('\n'));
  } catch (error) {
    return unknown('search attributes', `can’t be read: ${messageOf(error)}`, `make sure that ${wanted.map(({ name }) => name).join(', ')} exist`);
  }
}

interface Queue {
  name: string;
  /** `temporal.api.enums.v1.TaskQueueType`: 1 workflows, 2 activities. */
  type: 1 | 2;
}

/** Every queue a worker of these syncs polls. Pure. */
export function queuesOf(syncs: readonly Sync[], tableSyncs: readonly TableSync[]): Queue[] {
  const vendors = [...syncs, ...tableSyncs].flatMap(({ to }) =>
    (['live', 'bulk'] as const).map((kind) => vendorTaskQueue(to.operation.connector.vendor, to.account.name, kind)),
  );
  const warehouses = tableSyncs.map(({ from }) => warehouseTaskQueue(from.warehouse.name));
  return [{ name: mainTaskQueue, type: 1 }, ...[...new Set([...vendors, ...warehouses])].map((name) => ({ name, type: 2 as const }))];
}

/** A poll lasts about a minute: whoever polled longer ago is gone, though the server remembers it for five. */
const pollerGoneMs = 90_000;

async function pollerCheck({ client, namespace }: TemporalAccess, { name, type }: Queue, env: Environment): Promise<Check> {
  const title = `queue ${name}`;
  const { pollers } = await client.workflowService.describeTaskQueue({ namespace, taskQueue: { name }, taskQueueType: type });
  const seen = (pollers ?? []).map(({ identity, lastAccessTime }) => ({ identity, at: Number(String(lastAccessTime?.seconds ?? 0)) * 1_000 }));
  const alive = new Set(seen.filter(({ at }) => Date.now() - at < pollerGoneMs).map(({ identity }) => identity));
  const last = Math.max(0, ...seen.map(({ at }) => at));
  if (alive.size > 0) return ok(title, `polled by ${counted(alive.size, 'worker')}, last ${relative(last, Date.now())}`);
  return fail(title, last > 0 ? `no worker since ${relative(last, Date.now())}` : 'no worker', isRunningSandbox(env) ? restartSandbox : pollFix(name));
}

function pollFix(queue: string): string {
  return queue.startsWith(warehouseTaskQueue(''))
    ? 'start a worker, or restart it: one that started before the table sync was declared does not serve it (npx syncline worker)'
    : 'npx syncline worker';
}

/** Fairness itself is in no answer of the server's; partitions are, and without one partition it is approximate anyway. */
async function orderCheck({ client, namespace }: TemporalAccess, env: Environment, queues: readonly Queue[]): Promise<Check> {
  const flags =
    'matching.enableFairness=true, matching.numTaskqueueReadPartitions=1, matching.numTaskqueueWritePartitions=1 (dynamic configuration of the server)';
  const vendorQueue = queues.find(({ type }) => type === 2);
  const partitions = vendorQueue ? await partitionsOf(client, namespace, vendorQueue.name) : null;
  if (partitions !== null && partitions > 1) {
    return warn('order in queues', `vendor queues have ${partitions} partitions: lanes and fairness are approximate`, `set ${flags}`);
  }
  if (env['SYNCLINE_MODE'] === 'sandbox') return ok('order in queues', 'one partition, fairness on (the sandbox’s server has both)');
  const found = partitions === null ? 'partitions and fairness can’t be read' : 'one partition; whether fairness is on can’t be read';
  return unknown('order in queues', found, `make sure of ${flags}`);
}

async function partitionsOf(client: Client, namespace: string, name: string): Promise<number | null> {
  try {
    const { activityTaskQueuePartitions } = await client.workflowService.listTaskQueuePartitions({ namespace, taskQueue: { name } });
    return activityTaskQueuePartitions?.length ?? null;
  } catch {
    return null; // not every service offers it
  }
}

async function clockCheck(access: TemporalAccess): Promise<Check> {
  const skewMs = await serverTime(access);
  return skewMs === null ? unknown('clock', 'the server’s time could not be read') : skewCheck(group, skewMs);
}
