import { Pool } from 'pg';
import { migrations } from '../../../ledger/migrations';
import { sha256Hex } from '../../../platform/hash';
import { readSecret, type Environment } from '../../../platform/secrets';
import { databaseAddress } from '../database-address';
import { span } from '../output/times';
import { counted } from '../output/words';
import { type Check, checksOf, maxSkewMs, messageOf } from './check';

const { ok, warn, fail } = checksOf('Database');

/** First version of PostgreSQL the ledger's statements work on. */
const minVersion = 14;
/** Events that wait longer than this in the inbox have nobody who starts them. */
const maxBacklogMs = 60_000;
const timeoutMs = 5_000;

/** The ledger's database: there, of a known version and schema, with the same idea of time. */
export async function databaseChecks(env: Environment): Promise<Check[]> {
  const url = addressOf(env);
  if (!url) return [fail('connection', 'not tried: no address')];
  const pool = new Pool({ connectionString: url, max: 1, connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs, application_name: 'syncline doctor' });
  pool.on('error', () => undefined); // a server that goes away is found by the next query
  try {
    const connection = await connectionCheck(pool, url);
    if (connection.state === 'fail') return [connection];
    return [connection, await migrationCheck(pool), await clockCheck(pool), ...(await backlogChecks(pool))];
  } finally {
    await pool.end().catch(() => undefined);
  }
}

function addressOf(env: Environment): string | undefined {
  try {
    return readSecret('SYNCLINE_DATABASE_URL', env);
  } catch {
    return undefined; // said by the configuration's check
  }
}

async function connectionCheck(pool: Pool, url: string): Promise<Check> {
  const where = databaseAddress(url);
  try {
    const { rows } = await pool.query<{ version: string }>(`select current_setting('server_version_num') as version`);
    const major = Math.floor(Number(rows[0]?.version ?? 0) / 10_000);
    if (major >= minVersion) return ok('connection', `PostgreSQL ${major} at ${where}`);
    return fail('connection', `PostgreSQL ${major} at ${where}`, `use PostgreSQL ${minVersion} or newer`);
  } catch (error) {
    return fail('connection', `${where}: ${(error as { code?: string }).code ?? messageOf(error)}`, 'start the database, or correct SYNCLINE_DATABASE_URL');
  }
}

async function migrationCheck(pool: Pool): Promise<Check> {
  const fix = 'start the gateway or a worker of this version: they migrate when they start';
  try {
    const { rows } = await pool.query<{ name: string; checksum: string }>('select name, checksum from syncline.migrations');
    const applied = new Map(rows.map(({ name, checksum }) => [name, checksum]));
    const missing = migrations.filter(({ name }) => !applied.has(name)).map(({ name }) => name);
    const changed = migrations.filter(({ name, sql }) => applied.has(name) && applied.get(name) !== sha256Hex(sql)).map(({ name }) => name);
    const newer = [...applied.keys()].filter((name) => !migrations.some((migration) => migration.name === name));
    if (missing.length > 0) return fail('schema', `lacks ${missing.join(', ')}`, fix);
    if (changed.length > 0)
      return fail(
        'schema',
        `${changed.join(', ')} was applied in another form`,
        'this program was built from an edited migration: use a released version, or a fresh database',
      );
    if (newer.length > 0) return warn('schema', `was migrated by a newer version (${newer.join(', ')})`, 'update this program');
    return ok('schema', `current (${counted(migrations.length, 'migration')})`);
  } catch (error) {
    const never = (error as { code?: string }).code === '42P01' || (error as { code?: string }).code === '3F000';
    return fail('schema', never ? 'the ledger’s tables do not exist yet' : messageOf(error), fix);
  }
}

async function clockCheck(pool: Pool): Promise<Check> {
  const before = Date.now();
  const { rows } = await pool.query<{ at: string }>('select extract(epoch from clock_timestamp()) * 1000 as at');
  const skewMs = Number(rows[0]?.at) - (before + Date.now()) / 2;
  return skewCheck('Database', skewMs);
}

/** Used for the other server too. */
export function skewCheck(group: string, skewMs: number): Check {
  const { ok: fine, warn: off } = checksOf(group);
  const found = `${span(Math.abs(skewMs))} ${skewMs < 0 ? 'behind' : 'ahead of'} this machine`;
  if (Math.abs(skewMs) <= maxSkewMs) return fine('clock', found);
  return off('clock', found, 'let both keep time by NTP: versions of records go by arrival where the source says no time');
}

async function backlogChecks(pool: Pool): Promise<Check[]> {
  try {
    const { rows } = await pool.query<{ count: string; age: string | null }>(
      `select count(*) as count, extract(epoch from clock_timestamp() - min(queued_at)) * 1000 as age from syncline.inbox where state in ('new', 'claimed')`,
    );
    const ageMs = Number(rows[0]?.age ?? 0);
    const found = `${counted(Number(rows[0]?.count ?? 0), 'event')} waiting to start${ageMs > 0 ? `, the oldest for ${span(ageMs)}` : ''}`;
    return [ageMs > maxBacklogMs ? warn('inbox', found, 'start a worker (npx syncline worker), or more of them') : ok('inbox', found)];
  } catch {
    return []; // said by the schema's check
  }
}
