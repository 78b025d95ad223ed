import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { unreadableAnswer, type FieldValue, type SObjectRow } from './rows';

/** What empties a field in a Bulk API CSV; an empty cell leaves the field as it is. */
export const clears = '#N/A';

/**
 * Rows as Bulk API 2.0 takes them: a header with every field that any row writes, line feeds, quotes where needed. A row that
 * does not write a field has an empty cell there, which leaves the field alone.
 */
export function toCsv(externalId: string, rows: readonly SObjectRow[]): string {
  const fields = [...new Set(rows.flatMap((row) => Object.keys(row.fields)))];
  const cells = rows.map((row) => [row.externalId.trim(), ...fields.map((name) => cell(row.fields[name]))]);
  return stringify([[externalId, ...fields], ...cells], { record_delimiter: 'unix' });
}

function cell(value: FieldValue | undefined): string {
  if (value === undefined) return '';
  return value === null || value === '' ? clears : String(value);
}

/** Rows of a result CSV, by column. An empty body is no rows; anything without the column `must` is not such a CSV. */
export function fromCsv(what: string, data: unknown, must: string): Record<string, string>[] {
  if (data === null || data === '') return [];
  if (typeof data !== 'string') throw unreadableAnswer(what, data);
  let lines: string[][];
  try {
    lines = parse(data, { bom: true, skip_empty_lines: true });
  } catch {
    throw unreadableAnswer(what, data);
  }
  const [header, ...rows] = lines;
  if (header && !header.includes(must)) throw unreadableAnswer(what, data);
  return rows.map((row) => Object.fromEntries((header ?? []).map((name, index) => [name, row[index] ?? ''])));
}
