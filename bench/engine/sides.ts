import { recordSyncId } from '../../platform/start-options';
import { createLedger, type Ledger } from '../../ledger';
import { createCodec } from '../../platform/codec';
import type { NodeProcess } from '../../client/sandbox/processes';
import type { Setting } from '../setting';
import { command } from '../control';
import { customerOf, eventIdOf } from './event';
import { atOnce, atRate } from './pace';

/** One of the two that are compared. */
export interface Side {
  name: 'syncline' | 'bare';
  namespace: string;
  process: NodeProcess;
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
    namespace,
    process,
    idsOf: (round) => `${round}-`,
    burst: async (round, count) => void (await command(url, 'burst', { round, count, width })),
    paced: async (round, count, rate) => (await command(url, 'paced', { round, count, rate })) as number[],
  };
}

/** What our worker used of the database, by statement. */
export type Statements = Record<string, { count: number; ms: number }>;

export interface OurSide extends Side {
  readonly ledger: Ledger;
  readonly databaseUrl: string;
  statements(): Promise<Statements>;
}

/** The worker process; events go into the inbox from here. */
export async function ourSide({ setting, temporalAddress, hubspotUrl, log }: Servers, database: string): Promise<OurSide> {
  const namespace = 'syncline';
  const databaseUrl = await setting.database(database);
  const env = setting.env({ databaseUrl, temporalAddress, namespace, hubspotUrl });
  const process = await setting.supervisor.spawnNode({ name: 'worker', entry: 'bench/engine/worker.ts', env, log: quiet(log) });
  const ledger = createLedger({ connectionString: databaseUrl, codec: createCodec().bodies });
  const syncId = 'shop-customer-to-crm';
  const receive = (round: string) => (index: number) => {
    const eventId = eventIdOf(round, index);
    const body = customerOf(round, index) as never;
    const workflowId = recordSyncId(syncId, { account: 'shop', id: eventId });
    return ledger.inbox.receive([{ syncId, source: 'shopify', account: 'shop', eventId, topic: 'customers/update', occurredAt: Date.now(), body, workflowId }]);
  };
  return {
    name: 'syncline',
    namespace,
    process,
    ledger,
    databaseUrl,
    idsOf: (round) => recordSyncId(syncId, { account: 'shop', id: `${round}-` }),
    burst: (round, count) => atOnce(count, width, receive(round)),
    paced: (round, count, rate) => atRate(count, rate, receive(round)),
    statements: async () => (await command(String(process.ready.url), 'statements')) as Statements,
  };
}

/** The SDK's own INFO lines are no news here. */
function quiet(log: (line: string) => void): (line: string) => void {
  return (line) => {
    if (process.env.SYNCLINE_BENCH_LOG || /"level":"(warn|error|fatal)"|\[(WARN|ERROR)\]|Error/.test(line)) log(line);
  };
}
