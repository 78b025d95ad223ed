import { recordSyncId } from '../../platform/start-options';
import { createLedger, type Ledger } from '../../ledger';
import { createCodec } from '../../platform/codec';
import type { NodeProcess } from '../../client/sandbox/processes';
import type { Setting } from '../setting';
import { expectYes, signedRequests } from '../ack/requests';
import { flood } from '../ack/load';
import { command } from '../control';
import { joinId } from '../../connectors/webhook-delivery';
import { customerOf, eventIdOf } from './event';
import { atOnce, atRate } from './pace';

/** One of the two that are compared. */
export interface Side {
  name: string;
  /** For round names. */
  word: string;
  namespace: string;
  process: NodeProcess;
  /** Its processes, by the name under which their CPU time is shown. */
  pids: Record<string, number>;
  /** Start of the workflow ids of a round. */
  idsOf(round: string): string;
  /** Hands in `count` events as fast as they are taken. */
  burst(round: string, count: number): Promise<void>;
  /** Hands in events at a steady rate; when each was, in ms since the epoch. */
  paced(round: string, count: number, rate: number): Promise<number[]>;
}

interface Servers {
  setting: Setting;
  temporalAddress: string;
  hubspotUrl: string;
  log: (line: string) => void;
}

const syncId = 'shop-customer-to-crm';
const topic = 'customers/update';

/** Starts under way at a time on the bare side; handlers waiting for the inbox on ours. */
const width = 40;

/** A worker with the SDK's defaults; its client in the same process starts the workflows. */
export async function bareSide({ setting, temporalAddress, hubspotUrl, log }: Servers): Promise<Side> {
  const namespace = 'bare';
  const env = setting.env({ databaseUrl: 'postgres://127.0.0.1:9/none', temporalAddress, namespace, hubspotUrl });
  const process = await setting.supervisor.spawnNode({ name: 'bare', entry: 'bench/engine/bare.ts', env, log: quiet(log) });
  const url = String(process.ready.url);
  return {
    name: 'bare',
    word: 'bare',
    namespace,
    process,
    pids: { worker: process.pid },
    idsOf: (round) => `${round}-`,
    burst: async (round, count) => void (await command(url, 'burst', { round, count, width })),
    paced: async (round, count, rate) => (await command(url, 'paced', { round, count, rate })) as number[],
  };
}

/** What our worker used of the database, by statement. */
export type Statements = Record<string, { count: number; ms: number }>;

export interface OurSide extends Side {
  readonly ledger: Ledger;
  readonly env: Record<string, string>;
  statements(): Promise<Statements>;
}

/** The worker process; events go into the inbox from here. `plan`: the vendor's limits are that plan's; without, out of reach. */
export async function ourSide({ setting, temporalAddress, hubspotUrl, log }: Servers, database: string, plan = ''): Promise<OurSide> {
  const namespace = 'syncline';
  const databaseUrl = await setting.database(database);
  const env = { ...setting.env({ databaseUrl, temporalAddress, namespace, hubspotUrl }), SYNCLINE_BENCH_PLAN: plan };
  const process = await setting.supervisor.spawnNode({ name: 'worker', entry: 'bench/engine/worker.ts', env, log: quiet(log) });
  const ledger = createLedger({ connectionString: databaseUrl, codec: createCodec().bodies });
  const receive = (round: string) => (index: number) => {
    const eventId = eventIdOf(round, index);
    const body = customerOf(round, index) as never;
    const workflowId = recordSyncId(syncId, { account: 'shop', id: eventId });
    return ledger.inbox.receive([{ syncId, source: 'shopify', account: 'shop', eventId, topic, occurredAt: Date.now(), body, workflowId }]);
  };
  return {
    name: 'syncline',
    word: 'ours',
    namespace,
    process,
    pids: { worker: process.pid },
    ledger,
    env,
    idsOf: (round) => recordSyncId(syncId, { account: 'shop', id: `${round}-` }),
    burst: (round, count) => atOnce(count, width, receive(round)),
    paced: (round, count, rate) => atRate(count, rate, receive(round)),
    statements: async () => (await command(String(process.ready.url), 'statements')) as Statements,
  };
}

/** The same worker, with events that come to a gateway process as signed requests. For bursts. */
export async function throughGateway({ setting, log }: Servers, ours: OurSide): Promise<Side> {
  const gateway = await setting.supervisor.spawnNode({ name: 'gateway', entry: 'client/gateway/main.ts', env: ours.env, log: quiet(log) });
  const port = Number(gateway.ready.port);
  return {
    name: 'syncline through the gateway',
    word: 'door',
    namespace: ours.namespace,
    process: gateway,
    pids: { ...ours.pids, gateway: gateway.pid },
    idsOf: (round) => recordSyncId(syncId, { account: 'shop', id: joinId(topic, `${round}-`) }),
    burst: async (round, count) => {
      const { answered } = await flood(port, signedRequests({ port, path: `/webhooks/${syncId}`, env: ours.env }, round, count), width);
      expectYes('gateway', answered);
    },
    paced: () => Promise.reject(new Error('for bursts only')),
  };
}

/** The SDK's own INFO lines are no news here. */
function quiet(log: (line: string) => void): (line: string) => void {
  return (line) => {
    if (process.env.SYNCLINE_BENCH_LOG || /"level":"(warn|error|fatal)"|\[(WARN|ERROR)\]|Error/.test(line)) log(line);
  };
}
