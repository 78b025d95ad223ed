import type { TableSource } from '../../schemas/table';

/** A column as its engine names it. */
export interface Column {
  name: string;
  /** In the engine's words, usable in a cast. */
  type: string;
}

/** A source with what the engine says of its columns. */
export interface KnownSource {
  /** For a `from`: the table as written, or the query in parentheses. */
  sql: string;
  key: Column[];
  columns: Column[];
}

/** What PostgreSQL and DuckDB say differently. Everything else is written once. */
export interface Dialect {
  /** Where our tables are. */
  schema: string;
  /** A cast to text that is the same whenever the value is. */
  text(expression: string): string;
  /** One text out of several. */
  textArray(expressions: readonly string[]): string;
  /** One of them again; `index` from 0. */
  arrayPart(expression: string, index: number): string;
  /**
   * That `column` lies between two expressions: for an engine whose planner knows how many rows a page has, not that they are
   * neighbours, and would read the whole source for each page. Null: this one finds out by itself.
   */
  between: ((column: string, least: string, most: string) => string) | null;
  /** Makes a table out of a JSON parameter. */
  jsonRows(parameter: string, columns: Readonly<Record<string, string>>): string;
  tempTable(name: string, select: string): string[];
  /** Statements after which nobody else plans this sync until the transaction ends. */
  lock(syncId: string): string[];
  /** Moves `select` (columns as in `row_state`) into `row_state`. */
  mergeState(select: string): string[];
  /** Refreshes what the planner knows of a table. */
  analyze(table: string): string[];
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** In parentheses a query can hold no second statement and no write; the line break ends a comment. */
export function sourceSql(source: TableSource): string {
  return source.query === undefined ? (source.table ?? '') : `(${source.query.replace(/;\s*$/, '')}\n)`;
}

/** Whole numbers go into statements as they are; anything else is our mistake. */
export function whole(value: number): string {
  if (!Number.isSafeInteger(value)) throw new Error(`${value} is not a whole number`);
  return String(value);
}

/**
 * Hash of the declared columns and the mapping's version. Each value is written with its length in front, so that no two
 * rows read the same.
 */
export function fingerprint(dialect: Dialect, columns: readonly Column[], mapVersion: number): string {
  const parts = columns.map(({ name }) => {
    const text = dialect.text(`s.${quoted(name)}`);
    return `coalesce(length(${text}) || ':' || ${text}, '-')`;
  });
  return `cast(md5(${literal(`${mapVersion};`)} || ${parts.join(` || ';' || `)}) as uuid)`;
}

/** The row's key as text; null when a part of it is. */
export function keyText(dialect: Dialect, key: readonly Column[]): string {
  const parts = key.map(({ name }) => `s.${quoted(name)}`);
  if (parts.length === 1) return dialect.text(parts[0]!);
  const texts = dialect.textArray(parts.map((part) => dialect.text(part)));
  return `case when ${parts.map((part) => `${part} is null`).join(' or ')} then null else ${texts} end`;
}

/** Rows of the source with this key, found by their own type: the user's index is used. */
export function keyMatch(dialect: Dialect, key: readonly Column[], planned: string): string {
  if (key.length === 1) return `s.${quoted(key[0]!.name)} = cast(${planned} as ${key[0]!.type})`;
  return key.map(({ name, type }, index) => `s.${quoted(name)} = cast(${dialect.arrayPart(planned, index)} as ${type})`).join(' and ');
}
