import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { type Migration, migrations as released } from './migrations';

// Ours, because no kept library is both small and CommonJS: node-pg-migrate and postgrator are ES modules, umzug brings
// rushstack along, postgres-migrations rests since 2021 and commits each file on its own.

/** Any number, as long as everything that migrates this schema uses the same. */
const LOCK = 7_310_591;

/**
 * Applies what is missing, in order, in one transaction: all or nothing. Processes that start at once wait for each other.
 *
 * @throws when an applied migration was edited since, naming it.
 */
export async function migrate(pool: Pool, migrations: readonly Migration[] = released): Promise<string[]> {
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    await client.query('begin');
    await client.query('select pg_advisory_xact_lock($1)', [LOCK]);
    // 'create schema if not exists' wants the right to create one even when it exists: an administrator may have made it.
    const { rows: schema } = await client.query<{ missing: boolean }>(`select to_regnamespace('syncline') is null as missing`);
    if (schema[0]?.missing) await client.query('create schema syncline');
    await client.query(`create table if not exists syncline.migrations (
      name text primary key, checksum text not null, applied_at timestamptz not null default now())`);
    const { rows } = await client.query<{ name: string; checksum: string }>('select name, checksum from syncline.migrations');
    const applied = new Map(rows.map((row) => [row.name, row.checksum]));
    const done: string[] = [];
    for (const { name, sql } of migrations) {
      const checksum = createHash('sha256').update(sql).digest('hex');
      const known = applied.get(name);
      if (known === checksum) continue;
      if (known !== undefined) {
        throw new Error(`Migration ${name} was changed after it was applied to this database; undo the change and add a new migration`);
      }
      await client.query(sql);
      await client.query('insert into syncline.migrations (name, checksum) values ($1, $2)', [name, checksum]);
      done.push(name);
    }
    await client.query('commit');
    return done;
  } catch (error) {
    failure = error as Error;
    await client.query('rollback').catch(() => undefined);
    throw error;
  } finally {
    client.release(failure);
  }
}
