import type { TableSource } from '../../schemas/table';
import { WarehouseError } from '../port';
import { keyText, literal, quoted, sourceSql, type Column, type Dialect, type KnownSource } from './dialect';
import type { Engine, Run } from './engine';

/** Asks the engine for the columns; one that is not there is named before anything is read. */
export async function knowSource(engine: Engine, run: Run, syncId: string, source: TableSource): Promise<KnownSource> {
  const sql = sourceSql(source);
  const there = new Map((await engine.describe(run, sql)).map((column) => [column.name, column]));
  const missing = [...new Set([...source.key, ...source.columns, ...(source.consent === undefined ? [] : [source.consent])])].filter(
    (name) => !there.has(name),
  );
  if (missing.length > 0) {
    const what = missing.map((name) => `"${name}"`).join(', ');
    const names = [...missing, ...there.keys(), source.table ?? ''];
    throw new WarehouseError(
      'COLUMN_UNKNOWN',
      `${source.table ?? 'the query'} has no column ${what}; it has ${[...there.keys()].map((name) => `"${name}"`).join(', ')}`,
      names,
    );
  }
  const named = (names: readonly string[]): Column[] => names.map((name) => there.get(name)!);
  const known = { sql, key: named(source.key), columns: named(source.columns) };
  if (source.consent === undefined) return known;
  const consent = there.get(source.consent)!;
  if (!/^bool/i.test(consent.type))
    throw new WarehouseError('COLUMN_TYPE', `consent is read from "${consent.name}", which is ${consent.type}; expected a boolean column`, [consent.name]);
  return { ...known, sql: consented(engine.dialect, known, syncId, consent) };
}

/**
 * Only who agreed, and asked nowhere to be left out: for everybody else the row is not there, whenever it is read. Of several rows
 * with one key, one that did not agree speaks for all.
 */
function consented(dialect: Dialect, source: KnownSource, syncId: string, consent: Column): string {
  const same = source.key.map(({ name }) => `y.${quoted(name)} = s.${quoted(name)}`).join(' and ');
  return `(select s.* from ${source.sql} s where s.${quoted(consent.name)} is true
    and not exists (select 1 from ${source.sql} y where ${same} and y.${quoted(consent.name)} is not true)
    and not exists (select 1 from ${dialect.schema}.suppression x where x.sync_id in ('*', ${literal(syncId)})
      and ${spelling('x.key', source.key)} = ${spelling(keyText(dialect, source.key), source.key)}))`;
}

/** The engines, and people, write a key of several parts with and without a space behind the comma. */
function spelling(key: string, columns: readonly Column[]): string {
  return columns.length === 1 ? key : `replace(${key}, '", "', '","')`;
}
