import { literal, type Dialect } from '../sql/dialect';

export const postgresDialect: Dialect = {
  schema: 'syncline',
  text: (expression) => `cast(${expression} as text)`,
  textArray: (expressions) => `cast(jsonb_build_array(${expressions.join(', ')}) as text)`,
  arrayPart: (expression, index) => `(cast(${expression} as jsonb) ->> ${index})`,
  between: (column, least, most) => `${column} between ${least} and ${most}`,
  jsonRows: (parameter, columns) =>
    `json_to_recordset(cast(${parameter} as json)) as u(${Object.entries(columns)
      .map(([name, type]) => `"${name}" ${type}`)
      .join(', ')})`,
  tempTable: (name, select) => [`create temporary table ${name} on commit drop as ${select}`],
  lock: (syncId) => [`select pg_advisory_xact_lock(hashtextextended(${literal(`syncline/table/${syncId}`)}, 0))`],
  mergeState: (select) => [
    `insert into syncline.row_state (sync_id, key, fingerprint, target_key, vendor_id, settled_at, run_id) ${select}
      on conflict (sync_id, key) do update set fingerprint = excluded.fingerprint, target_key = excluded.target_key, vendor_id = excluded.vendor_id,
        settled_at = excluded.settled_at, run_id = excluded.run_id`,
  ],
  analyze: (table) => [`analyze ${table}`],
};
