import type { PlanRequest } from '../port';
import { fingerprint, keyText, literal, whole, type Dialect, type KnownSource } from './dialect';

/** Codes in `rejected` of keys that name no row of the source, or more than one. */
const badKeyCodes = `('DUPLICATE_KEY', 'KEY_TOO_LONG', 'NULL_KEY')`;

/** Longest key, characters: an index entry must hold it. */
export const maxKeyLength = 1_000;

/** Reads the source once, in one snapshot: key and fingerprint of every row, then the keys that name more than one. */
export function readSource(dialect: Dialect, source: KnownSource, request: PlanRequest): string[] {
  return [
    ...dialect.tempTable(
      'plan_source',
      `select ${keyText(dialect, source.key)} as key, ${fingerprint(dialect, source.columns, request.mapVersion)} as fingerprint from ${source.sql} s`,
    ),
    ...dialect.analyze('plan_source'),
    ...dialect.tempTable('plan_twice', `select key, count(*) as rows from plan_source where ${usable} group by key having count(*) > 1`),
  ];
}

const usable = `key is not null and key <> '' and length(key) <= ${maxKeyLength}`;

/**
 * What differs from what landed. Keys that can't be trusted are neither sent nor taken for removed. What was refused rests until
 * it changes; a member who withdrew never does: until the vendor took the removal, each run tries it.
 */
export function compare(dialect: Dialect, request: PlanRequest): string[] {
  const sync = literal(request.syncId);
  const trusted = (table: string) => `not exists (select 1 from plan_twice t where t.key = ${table}.key)`;
  return dialect.tempTable(
    'plan_diff',
    `select coalesce(s.key, k.key) as key, coalesce(s.fingerprint, k.fingerprint) as fingerprint,
      case when s.key is null then 'removed' when k.key is null then 'added' when k.fingerprint <> s.fingerprint then 'changed' else 'resent' end as change,
      j.key is not null as resting
    from (select key, fingerprint from plan_source p where ${usable} and ${trusted('p')}) s
    full join (select key, fingerprint from ${dialect.schema}.row_state r where r.sync_id = ${sync} and ${trusted('r')}) k on k.key = s.key
    left join ${dialect.schema}.rejected j on j.sync_id = ${sync} and j.key = coalesce(s.key, k.key)
      and j.fingerprint = coalesce(s.fingerprint, k.fingerprint) and (j.op = 'remove') = (s.key is null) and j.outcome in ('rejected', 'invalid', 'unattributed')
      ${request.retryRejected ? 'and false' : ''} ${request.membership ? 'and s.key is not null' : ''}
    where s.key is null or k.key is null or k.fingerprint <> s.fingerprint ${request.full ? 'or true' : ''}`,
  );
}

export interface SourceCounts {
  read: number;
  known: number;
  null_keys: number;
  long_keys: number;
  duplicates: number;
}

export function countSource(dialect: Dialect, request: PlanRequest): string {
  return `select cast(count(*) as integer) as read,
    cast(count(*) filter (where key is null or key = '') as integer) as null_keys,
    cast(count(*) filter (where length(key) > ${maxKeyLength}) as integer) as long_keys,
    cast((select coalesce(sum(rows), 0) from plan_twice) as integer) as duplicates,
    cast((select count(*) from ${dialect.schema}.row_state where sync_id = ${literal(request.syncId)}) as integer) as known
    from plan_source`;
}

export const countDiff = `select change, resting, cast(count(*) as integer) as rows from plan_diff group by change, resting`;

/** Writes the plan down, in order of the key: rows of one chunk lie together at the source. `first`: chunks of what goes first. */
export function writePlan(dialect: Dialect, source: KnownSource, request: PlanRequest, first: number): string[] {
  const size = whole(request.chunkRows);
  const run = literal(request.runId);
  const order = source.key.length === 1 ? `case when change <> 'removed' then cast(key as ${source.key[0]!.type}) end, key` : 'key';
  const { schema } = dialect;
  const { membership = false, removals } = request;
  // A member who changed leaves as what they were, before they come as what they are.
  const leaving = membership ? `union all select key, change, fingerprint, 'remove' as op from plan_diff where change = 'changed'` : '';
  return [
    `insert into ${schema}.run_rows (run_id, chunk, n, key, op, change, fingerprint)
      select ${run}, cast(floor((i - 1) / ${size}) as integer) + case when op = '${membership ? 'upsert' : 'remove'}' then ${whole(first)} else 0 end,
        cast((i - 1) % ${size} as integer), key, op, change, fingerprint
      from (select key, change, fingerprint, op, row_number() over (partition by op order by ${order}) as i
        from (select key, change, fingerprint, case when change = 'removed' then 'remove' else 'upsert' end as op
          from plan_diff where not resting ${removals ? '' : `and change <> 'removed'`} ${leaving}) p) d
      order by 2, 3`,
    `insert into ${schema}.run_chunks (run_id, chunk, op, rows)
      select run_id, chunk, min(op), cast(count(*) as integer) from ${schema}.run_rows where run_id = ${run} group by run_id, chunk`,
    ...dialect.analyze(`${schema}.run_rows`),
  ];
}

/**
 * Keys that name no row, or more than one, are listed with their reason. What is no longer in the source is forgotten, and so is what
 * was corrected back to what landed, and a removal nobody wants any more; not one that may have come through all the same.
 */
export function quarantine(dialect: Dialect, request: PlanRequest): string[] {
  const [sync, run] = [literal(request.syncId), literal(request.runId)];
  const bad = (key: string, code: string, cause: string, from: string) => `select ${key} as key, ${literal(code)} as code, ${cause} as cause from ${from}`;
  return [
    // Long keys are shown by their beginning; two with the same beginning share a line.
    insertRejected(
      dialect,
      `select ${sync}, key, 'upsert', null, 'rejected', code, min(cause), now(), now(), 1, ${run} from (
        ${bad('key', 'DUPLICATE_KEY', `rows || ' rows have this key; none of them was sent'`, 'plan_twice')}
        union all ${bad(`substr(key, 1, 200)`, 'KEY_TOO_LONG', `'the key is longer than ${maxKeyLength} characters'`, `plan_source where length(key) > ${maxKeyLength}`)}
        union all ${bad(`''`, 'NULL_KEY', `case count(*) when 1 then '1 row has no key' else count(*) || ' rows have no key' end`, `plan_source where key is null or key = '' having count(*) > 0`)}
      ) b group by key, code`,
    ),
    `delete from ${dialect.schema}.rejected where sync_id = ${sync}
      and (code not in ${badKeyCodes} or run_id <> ${run})
      and not exists (select 1 from plan_source p where p.key = rejected.key and rejected.code not in ${badKeyCodes})
      and not exists (select 1 from ${dialect.schema}.row_state k where k.sync_id = ${sync} and k.key = rejected.key and rejected.op = 'remove')`,
    `delete from ${dialect.schema}.rejected where sync_id = ${sync} and code not in ${badKeyCodes}
      and (${request.removals ? 'false' : `op = 'remove'`} or exists (
        select 1 from plan_source p join ${dialect.schema}.row_state k on k.sync_id = ${sync} and k.key = p.key and k.fingerprint = p.fingerprint
        where p.key = rejected.key and case when rejected.op = 'remove' then rejected.outcome <> 'unattributed' else rejected.fingerprint is distinct from p.fingerprint end))`,
  ];
}

/**
 * Keeps since when it is so; `select` gives every column of `rejected`. Of a member who changed, the removal of what they were is told
 * before what became of what they are.
 */
export function insertRejected(dialect: Dialect, select: string): string {
  return `insert into ${dialect.schema}.rejected as j (sync_id, key, op, fingerprint, outcome, code, cause, first_seen, last_seen, times, run_id) ${select}
    on conflict (sync_id, key) do update set op = excluded.op, fingerprint = excluded.fingerprint, outcome = excluded.outcome, code = excluded.code,
      cause = excluded.cause, first_seen = case when j.op = excluded.op then j.first_seen else excluded.first_seen end, last_seen = excluded.last_seen,
      times = case when j.op = excluded.op then j.times + 1 else 1 end, run_id = excluded.run_id
      where not (j.op = 'remove' and excluded.op = 'upsert' and j.run_id = excluded.run_id)`;
}
