import { Client as Temporal, Connection } from '@temporalio/client';
import { Client } from 'pg';
import type { NodeProcess } from '../../client/sandbox/processes';
import { createCodec, dataConverter } from '../../platform/codec';
import { tableStartOptions, tableSyncType } from '../../platform/table-start';
import type { TableRunResult } from '../../schemas/table';
import { compileTablePlan, type TableSync } from '../../syncs/define-table-sync';
import type { Setting } from '../setting';
import { peakMemory } from '../../test/support/peak-memory';
import { cpuTimes, usedBetween, type Usage } from '../usage';
import { historyOfChain, type ChainHistory } from '../../test/support/history-chain';
import { createPeople } from './people';
import { peopleSync, type Limits } from './sync';

/** A run of ours. */
export interface RunFigures {
  /** From the start's call to the result: diff, sending, books and equation included. */
  seconds: number;
  result: TableRunResult;
  history: ChainHistory;
  /** Of the worker since it started, MiB. */
  peakMiB: number;
  /** CPU milliseconds by process. */
  cpu: Usage;
}

/** Servers, one worker process and a warehouse of people. */
export interface TableBenchStage {
  readonly sync: TableSync;
  readonly env: Record<string, string>;
  readonly worker: NodeProcess;
  sql(text: string): Promise<any[]>;
  /** A source of so many people, none of whom anybody knows, and an empty vendor. */
  people(rows: number, prefix?: string): Promise<void>;
  run(): Promise<RunFigures>;
  /** What the simulator counted. */
  stats(): Promise<any>;
  /** Ends its processes; the database stays with the setting. */
  stop(): Promise<void>;
}

let stages = 0;

export async function startTableBench(
  setting: Setting,
  log: (line: string) => void,
  options: { limits?: Limits; simulator?: string[] } = {},
): Promise<TableBenchStage> {
  const { limits = 'wide' } = options;
  const name = `table_${++stages}`;
  const namespace = 'syncline';
  const sync = peopleSync(limits);
  const postgres = await setting.postgres();
  const temporal = await setting.temporal('memory', [namespace]);
  const simulator = await setting.simulator(options.simulator);
  const warehouseUrl = await setting.database(`${name}_warehouse`);
  const base = setting.env({ databaseUrl: await setting.database(name), temporalAddress: temporal.address, namespace, hubspotUrl: simulator.url });
  const env = { ...base, SYNCLINE_WAREHOUSE_MAIN_URL: warehouseUrl, BENCH_TABLE_LIMITS: limits };
  const quiet = (line: string): void => {
    if (process.env['SYNCLINE_BENCH_LOG'] || /"level":"(error|fatal)"/.test(line)) log(line);
  };
  const worker = await setting.supervisor.spawnNode({ name: 'worker', entry: 'bench/table/worker.ts', env, log: quiet });
  const connection = await Connection.connect({ address: temporal.address });
  const client = new Temporal({ connection, namespace, dataConverter: dataConverter(createCodec()) });
  const database = new Client({ connectionString: warehouseUrl });
  database.on('error', () => undefined); // the server ends first when a bench fails
  await database.connect();
  const sql = async (text: string): Promise<any[]> => (await database.query(text)).rows;
  const pids = { worker: worker.pid, database: postgres.pid, server: temporal.pid, simulator: simulator.pid };

  return {
    sync,
    env,
    worker,
    sql,
    async people(rows, prefix = 'p') {
      for (const statement of createPeople(rows, prefix)) await sql(statement);
      const tables = await sql(`select tablename from pg_tables where schemaname = 'syncline' and tablename <> 'warehouse_version'`);
      if (tables.length > 0) await sql(`truncate ${tables.map(({ tablename }) => `syncline.${tablename}`).join(', ')}`);
      await sql('checkpoint');
      await fetch(`${simulator.url}/_sim/reset`, { method: 'POST' });
    },
    async run() {
      const before = cpuTimes(pids);
      const startedAt = performance.now();
      const handle = await client.workflow.start(tableSyncType, tableStartOptions({ plan: compileTablePlan(sync) }));
      const result = (await handle.result()) as TableRunResult;
      const seconds = (performance.now() - startedAt) / 1_000;
      const cpu = usedBetween(before, cpuTimes(pids));
      const history = await historyOfChain(client, handle.workflowId, handle.firstExecutionRunId);
      return { seconds, result, history, peakMiB: peakMemory(worker.pid), cpu };
    },
    stats: async () => (await fetch(`${simulator.url}/_sim/stats`)).json(),
    async stop() {
      await worker.stop();
      await database.end();
      await simulator.stop();
      await connection.close();
      await temporal.stop();
    },
  };
}
