import { literal, type Dialect } from '../sql/dialect';

/** Our own file, attached under this name. */
export const stateDatabase = 'syncline_state';

export const duckdbDialect: Dialect = {
  schema: `${stateDatabase}.syncline`,
  text: (expression) => `cast(${expression} as text)`,
  textArray: (expressions) => `cast(to_json([${expressions.join(', ')}]) as text)`,
  arrayPart: (expression, index) => `json_extract_string(${expression}, '$[${index}]')`,
  between: null, // its joins tell the scan their bounds
  jsonRows: (parameter, columns) => `(select unnest(from_json(cast(${parameter} as json), ${literal(structure(columns))}), recursive := true)) as u`,
  tempTable: (name, select) => [`create or replace temporary table ${name} as ${select}`],
  lock: () => [], // one process, one connection
  // No primary key, which would be held in memory: what is known of these rows is replaced.
  mergeState: (select) => [
    `create or replace temporary table settled as ${select}`,
    `delete from ${stateDatabase}.syncline.row_state as k using settled s where k.sync_id = s.sync_id and k.key = s.key`,
    `insert into ${stateDatabase}.syncline.row_state (sync_id, key, fingerprint, target_key, vendor_id, settled_at, run_id)
      select sync_id, key, fingerprint, target_key, vendor_id, settled_at, run_id from settled`,
  ],
  analyze: () => [],
};

function structure(columns: Readonly<Record<string, string>>): string {
  const words: Record<string, string> = { integer: 'INTEGER' };
  return JSON.stringify([Object.fromEntries(Object.entries(columns).map(([name, type]) => [name, words[type] ?? 'VARCHAR']))]);
}
