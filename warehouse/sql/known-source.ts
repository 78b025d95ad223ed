import type { TableSource } from '../../schemas/table';
import { WarehouseError } from '../port';
import { sourceSql, type Column, type KnownSource } from './dialect';
import type { Engine, Run } from './engine';

/** Asks the engine for the columns; one that is not there is named before anything is read. */
export async function knowSource(engine: Engine, run: Run, source: TableSource): Promise<KnownSource> {
  const sql = sourceSql(source);
  const there = new Map((await engine.describe(run, sql)).map((column) => [column.name, column]));
  const missing = [...new Set([...source.key, ...source.columns])].filter((name) => !there.has(name));
  if (missing.length > 0) {
    const what = missing.map((name) => `"${name}"`).join(', ');
    throw new WarehouseError(
      'COLUMN_UNKNOWN',
      `${source.table ?? 'the query'} has no column ${what}; it has ${[...there.keys()].map((name) => `"${name}"`).join(', ')}`,
    );
  }
  const named = (names: readonly string[]): Column[] => names.map((name) => there.get(name)!);
  return { sql, key: named(source.key), columns: named(source.columns) };
}
