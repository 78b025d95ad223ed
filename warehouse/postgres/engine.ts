import { Pool, type PoolClient, type PoolConfig, type QueryConfig } from 'pg';
import { WarehouseBusy, WarehouseError } from '../port';
import type { Column } from '../sql/dialect';
import type { Engine, Run } from '../sql/engine';
import { namesIn } from '../sql/names';
import { createTables, schemaVersion } from '../sql/schema';
import { postgresDialect } from './dialect';
import { valueTypes } from './values';

const statementMs = 60_000;

/** Every process that migrates waits for the others. Any number, other than the ledger's. */
const migrationLock = 7_310_592;

/**
 * Values must read the same in every session: fingerprints are made of their text. Nothing of ours runs on another's
 * behalf for long: a transaction left open ends by itself.
 */
const sessionSettings = `set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set bytea_output = 'hex'; set extra_float_digits = 1;
  set idle_in_transaction_session_timeout = '10min'; set jit = off`;

/** Before a connection is used for the first time; one on which this fails is not used. */
const onConnect = async (client: PoolClient): Promise<void> => void (await client.query(sessionSettings));

/** A PostgreSQL warehouse, 14 or newer. */
export function createPostgresEngine(options: { name: string; url: string }): Engine {
  const { name } = options;
  const config: PoolConfig = { connectionString: options.url, max: 10, connectionTimeoutMillis: 5_000, keepAlive: true, types: valueTypes };
  // Awaited by the pool, though its types say void.
  const pool = new Pool(Object.assign(config, { application_name: 'syncline-warehouse', onConnect }));
  pool.on('error', () => undefined); // an idle connection that the server closes; the next one tells
  const translate = (error: unknown): Error => translated(name, error);

  const runOn =
    (client: Pick<PoolClient, 'query'>, timeoutMs: number): Run =>
    async <Row>(sql: string, values?: unknown[]) => {
      // Extended: one statement and no more, whatever stands in a query of the user's.
      const config: QueryConfig & { query_timeout: number; queryMode: string } = {
        text: sql,
        values: values ?? [],
        query_timeout: timeoutMs,
        queryMode: 'extended',
      };
      return (await client.query(config)).rows as Row[];
    };

  const engine: Engine = {
    dialect: postgresDialect,

    async run<Row>(sql: string, values?: unknown[]) {
      try {
        return await runOn(pool, statementMs)<Row>(sql, values);
      } catch (error) {
        throw translate(error);
      }
    },

    async transaction(work, { timeoutMs = statementMs } = {}) {
      let client: PoolClient | undefined;
      let failure: Error | undefined;
      try {
        client = await pool.connect();
        await client.query('begin');
        const result = await work(runOn(client, timeoutMs));
        await client.query('commit');
        return result;
      } catch (error) {
        failure = translate(error);
        await client?.query('rollback').catch(() => undefined);
        throw failure;
      } finally {
        client?.release(failure);
      }
    },

    async describe(run, from) {
      // Without rows, and inside the caller's transaction: the columns it will read.
      await run(`create temporary view plan_columns as select * from ${from} s limit 0`);
      const columns = await run<Column>(
        `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute where attrelid = 'pg_temp.plan_columns'::regclass and attnum > 0 order by attnum`,
      );
      await run(`drop view pg_temp.plan_columns`);
      return columns;
    },

    async prepare() {
      await engine.transaction(async (run) => {
        await run(`select pg_advisory_xact_lock(${migrationLock})`);
        const [there] = await run<{ version: number | null }>(
          `select case when to_regclass('syncline.warehouse_version') is null then null else 0 end as version`,
        );
        if (there?.version === 0) {
          const [row] = await run<{ version: number }>('select max(version) as version from syncline.warehouse_version');
          if (row?.version === schemaVersion) return;
        }
        const [rights] = await run<{ missing: boolean; may: boolean }>(
          `select to_regnamespace('syncline') is null as missing, has_database_privilege(current_database(), 'create') as may`,
        );
        if (rights?.missing && !rights.may) {
          throw new WarehouseError(
            'WAREHOUSE_RIGHTS',
            `warehouse ${name}: the schema "syncline" is not there, and this role may not create it; as an administrator: create schema syncline authorization <role>`,
          );
        }
        if (rights?.missing) await run('create schema syncline');
        const [inside] = await run<{ may: boolean }>(`select has_schema_privilege('syncline', 'create') as may`);
        if (!inside?.may) {
          throw new WarehouseError(
            'WAREHOUSE_RIGHTS',
            `warehouse ${name}: this role may not create tables in schema "syncline"; as an administrator: grant all on schema syncline to <role>`,
          );
        }
        for (const sql of createTables('syncline', true)) await run(sql);
        await run(`insert into syncline.warehouse_version (version) values (${schemaVersion})`);
      });
    },

    stop: () => pool.end(),
  };
  return engine;
}

/** Syntax, unknown function, unknown type: about the query as it is written, before any row is read. */
const aboutQuery = ['42601', '42883', '42704'];

/** Waiting helps, somebody has to change something, or it is a fault of ours: then it stays as it is. */
function translated(name: string, error: unknown): Error {
  if (error instanceof WarehouseError || error instanceof WarehouseBusy) return error;
  const { code, message } = error as { code?: string; message: string };
  const said = `warehouse ${name}: ${message.split('\n')[0]}`;
  // Class 08 connection, 53 resources, 57 shut down or cancelled, 40 undone, 55 locked; and what has no SQLSTATE came from the network.
  if (code === undefined || !/^[0-9A-Z]{5}$/.test(code) || /^(08|53|57|40|55)/.test(code)) return new WarehouseBusy(said);
  if (code === '42501') return new WarehouseError('WAREHOUSE_RIGHTS', `${said}; grant it to the role in the warehouse's address`);
  if (code === '42P01' || code === '3F000') return new WarehouseError('SOURCE_UNKNOWN', said, namesIn(message));
  if (code === '42703') return new WarehouseError('COLUMN_UNKNOWN', said, namesIn(message));
  if (/^(42|22|0A|2[58])/.test(code)) return new WarehouseError('QUERY_INVALID', said, aboutQuery.includes(code) ? namesIn(message) : []);
  return error as Error;
}
