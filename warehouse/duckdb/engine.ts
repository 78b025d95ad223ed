import { DuckDBInstance, type DuckDBConnection, type DuckDBValue } from '@duckdb/node-api';
import { WarehouseBusy, WarehouseError } from '../port';
import { literal } from '../sql/dialect';
import type { Engine, Run, TransactionOptions } from '../sql/engine';
import { filesIn, namesIn } from '../sql/names';
import { createTables, schemaVersion } from '../sql/schema';
import { duckdbDialect, stateDatabase } from './dialect';
import { valueReader } from './values';

export interface DuckDBOptions {
  name: string;
  /** The user's file: attached read-only, and only while it is read. Without one, queries read CSV and Parquet files. */
  path?: string;
  /** Our file, which this process holds as long as it runs. */
  statePath: string;
  /** @default '1GB'; what does not fit goes to a folder beside the state */
  memoryLimit?: string;
}

/** A DuckDB warehouse: one process, one connection, one statement at a time. */
export function createDuckDBEngine(options: DuckDBOptions): Engine {
  const { name, path, statePath } = options;
  let opened: Promise<{ instance: DuckDBInstance; connection: DuckDBConnection }> | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const open = async () => {
    const instance = await DuckDBInstance.create(':memory:', { memory_limit: options.memoryLimit ?? '1GB', temp_directory: `${statePath}.tmp`, threads: '2' });
    try {
      const connection = await instance.connect();
      await connection.run(`set timezone = 'UTC'`);
      await connection.run(`attach ${literal(statePath)} as ${stateDatabase}`);
      await connection.run(`create schema if not exists ${stateDatabase}.syncline`);
      return { instance, connection };
    } catch (error) {
      instance.closeSync();
      throw error;
    }
  };
  const connected = async (): Promise<DuckDBConnection> => {
    opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return (await opened).connection;
  };

  /** After everything asked for before: there is one connection. */
  const inTurn = <T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> => {
    const turn = last.then(async () => {
      try {
        return await work(await connected());
      } catch (error) {
        throw translated(name, error);
      }
    });
    last = turn.catch(() => undefined);
    return turn;
  };

  const attached = async <T>(connection: DuckDBConnection, work: () => Promise<T>): Promise<T> => {
    if (path === undefined) return work();
    await connection.run(`attach ${literal(path)} as source (read_only)`);
    try {
      await connection.run('use source');
      return await work();
    } finally {
      await connection.run('use memory');
      await connection.run('detach source');
    }
  };

  const inTransaction = async <T>(connection: DuckDBConnection, work: (run: Run) => Promise<T>): Promise<T> => {
    await connection.run('begin');
    try {
      const result = await work(runOn(connection));
      await connection.run('commit');
      return result;
    } catch (error) {
      await connection.run('rollback').catch(() => undefined); // some errors have rolled back already
      throw error;
    }
  };

  const engine: Engine = {
    dialect: duckdbDialect,
    run: <Row>(sql: string, values?: unknown[]) => inTurn((connection) => runOn(connection)<Row>(sql, values)),
    transaction: <T>(work: (run: Run) => Promise<T>, { source = false }: TransactionOptions = {}) =>
      inTurn((connection) => (source ? attached(connection, () => inTransaction(connection, work)) : inTransaction(connection, work))),

    async describe(run, from) {
      const rows = await run<{ column_name: string; column_type: string }>(`describe select * from ${from} s`);
      return rows.map((row) => ({ name: row.column_name, type: row.column_type }));
    },

    prepare: () =>
      engine.transaction(async (run) => {
        const tables = await run(`select 1 as one from duckdb_tables() where database_name = '${stateDatabase}' and table_name = 'warehouse_version'`);
        if (tables.length > 0) return;
        for (const sql of createTables(duckdbDialect.schema, false)) await run(sql);
        await run(`insert into ${duckdbDialect.schema}.warehouse_version (version) values (${schemaVersion})`);
      }),

    async stop() {
      await last;
      const open = await opened?.catch(() => undefined);
      open?.connection.closeSync();
      open?.instance.closeSync();
    },
  };
  return engine;
}

function runOn(connection: DuckDBConnection): Run {
  return async <Row>(sql: string, values: unknown[] = []) => {
    // A query of the user's that closes its parenthesis and goes on is more than one.
    if ((await connection.extractStatements(sql)).count !== 1)
      throw new WarehouseError('QUERY_INVALID', 'a source is one query; it may not hold several statements');
    const result = await connection.runAndReadAll(sql, values as DuckDBValue[]);
    const names = result.columnNames();
    const readers = result.columnTypes().map(valueReader);
    return result.getRowsJson().map((row) => Object.fromEntries(row.map((value, index) => [names[index]!, readers[index]!(value)]))) as Row[];
  };
}

/** Waiting helps, somebody has to change something, or it is a fault of ours: then it stays as it is. */
function translated(name: string, error: unknown): Error {
  if (error instanceof WarehouseError || error instanceof WarehouseBusy) return error;
  const message = (error instanceof Error ? error.message : String(error)).replace(/^(Error: |Failed to extract statements: )+/, '');
  const said = `warehouse ${name}: ${message.split('\n')[0]}`;
  if (/lock on file|Conflicting lock|unique file handle/i.test(message)) return new WarehouseBusy(`${said}; another program has the file open`);
  if (/^Catalog Error|database does not exist|No files found/i.test(message))
    return new WarehouseError('SOURCE_UNKNOWN', said, [...namesIn(message), ...filesIn(message)]);
  // Binding comes before any row is read; what is converted may be a value.
  const names = /^Parser Error|^Binder Error: (Referenced (column|table)|Table "[^"]*" does not have)/.test(message) ? namesIn(message) : [];
  if (/^(Parser|Binder|Conversion|Invalid Input|Not implemented) Error/i.test(message)) return new WarehouseError('QUERY_INVALID', said, names);
  return error instanceof Error ? error : new Error(message);
}
