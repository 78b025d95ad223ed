import { Pool, type QueryConfig, type QueryResultRow } from 'pg';

/** Where the ledger tells what it can't answer with an error: a part of pino's logger. */
export interface LedgerLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A statement. With a name, it is parsed once per connection; one whose text varies has none. */
export interface Statement {
  name?: string;
  text: string;
  values: unknown[];
  /** Give up after this many milliseconds, also when the server has gone silent. */
  timeoutMs?: number;
}

/** Statements over a pool, each its own transaction. */
export class Database {
  constructor(readonly pool: Pool) {}

  /**
   * Runs it. A deadlock or serialization failure is run again: the server has undone it.
   *
   * @throws the driver's error; the connection that gave it is not used again.
   */
  async run<Row extends QueryResultRow>(statement: Statement): Promise<Row[]> {
    const { name, text, values, timeoutMs = QUERY_TIMEOUT_MS } = statement;
    const config: QueryConfig & { query_timeout: number } = { text, values, query_timeout: timeoutMs };
    if (name) config.name = `syncline-${name}`;
    for (let tries = 1; ; tries++) {
      try {
        return (await this.pool.query<Row>(config)).rows;
      } catch (error) {
        if (tries >= 3 || !undone.has(sqlState(error))) throw error;
      }
    }
  }
}

/** Upper bound of any statement of ours; lists over large tables stay far below. */
const QUERY_TIMEOUT_MS = 30_000;
const undone = new Set(['40P01', '40001']);

/** The pool the ledger makes for itself. */
export function createPool(connectionString: string, log: LedgerLog): Pool {
  const pool = new Pool({
    connectionString,
    max: 10,
    connectionTimeoutMillis: 2_000, // the gateway must answer its provider within 3 s
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    application_name: 'syncline',
  });
  // Without a listener, an idle connection that the server closes would end the process.
  pool.on('error', (error) => log.warn({ err: error }, 'idle database connection lost'));
  return pool;
}

/** SQLSTATE of a driver's error, '' when it has none (network errors have words for codes). */
export function sqlState(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : '';
}

/** True when the statement's data is at fault, so that the same statement would fail again: classes 22, 23 and 54. */
export function isDataError(error: unknown): boolean {
  return /^(22|23|54)/.test(sqlState(error));
}

/** PostgreSQL has no NUL in text, and one in an id from outside must not refuse a whole batch. */
export function text(value: string): string {
  return value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value;
}
