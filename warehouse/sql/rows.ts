import { inJobCode, unsureFingerprint, type ReadRequest } from '../port';
import { fingerprint, keyMatch, literal, quoted, whole, type Dialect, type KnownSource } from './dialect';
import { insertRejected } from './plan';

/**
 * Ends after which the vendor has the row, or need not: what was sent is remembered. A removal that only may have come through is
 * still owed.
 */
const settled = `(r.outcome in ('accepted', 'verified', 'skipped') or r.op = 'upsert' and r.outcome = 'unattributed')`;

/** Ends of rows that may be at the vendor all the same, once they were handed over. */
const unsure = `('failed', 'expired', 'cancelled', 'superseded')`;

/** What is removed needs no values, unless somebody has to see whether it is still the same member. */
export function withValues({ membership = false }: Pick<ReadRequest, 'membership'>, op: 'upsert' | 'remove'): boolean {
  return op === 'upsert' || membership;
}

/** Ends of removals after which the record may still be at the vendor: owed until one comes through, whatever the reason. */
const stillThere = `('unattributed', 'failed', 'expired', 'cancelled')`;

/** A chunk, as far as reading it needs to know. */
export interface ChunkFacts {
  op: 'upsert' | 'remove';
  /** A good part of the source is planned: the keys of one page are neighbours there. */
  dense: boolean;
}

export function chunkFacts({ schema }: Dialect, { runId, chunk }: ReadRequest): string {
  return `select c.op, coalesce(r.planned * ${denseParts} >= r.rows_read, false) as dense
    from ${schema}.run_chunks c join ${schema}.runs r on r.run_id = c.run_id where c.run_id = ${literal(runId)} and c.chunk = ${whole(chunk)}`;
}

/** Pages don’t overlap, so reading between their bounds costs all of them together one pass: worth it for a tenth of the rows, not for a few. */
const denseParts = 10;

function neighbours({ between }: Dialect, key: KnownSource['key'], { op, dense }: ChunkFacts): string {
  if (!between || !dense || op === 'remove' || key.length > 1) return '';
  const { name, type } = key[0]!;
  const bound = (order: 'asc' | 'desc') => `(select cast(key as ${type}) from page order by 1 ${order} limit 1)`;
  return ` and ${between(`s.${quoted(name)}`, bound('asc'), bound('desc'))}`;
}

/** Open rows of a chunk with their current values as `c0`, `c1`, … */
export function readOpen(dialect: Dialect, source: KnownSource, request: ReadRequest, facts: ChunkFacts): string {
  const { op } = facts;
  const { schema } = dialect;
  const [run, sync] = [literal(request.runId), literal(request.syncId)];
  const values = withValues(request, op) ? source.columns.map(({ name }, index) => `, s.${quoted(name)} as c${index}`).join('') : '';
  // Does another row, one that stays, write the same record?
  const shared =
    op === 'upsert'
      ? 'false'
      : `exists (select 1 from ${schema}.row_state o where o.sync_id = ${sync} and o.target_key = k.target_key and o.key <> k.key
          and not exists (select 1 from ${schema}.run_rows x where x.run_id = ${run} and x.op = 'remove' and x.key = o.key))`;
  return `with page as materialized (
      select n, key, change, attempts, code, cause, sent_fingerprint, target_key from ${schema}.run_rows
      where run_id = ${run} and chunk = ${whole(request.chunk)} and outcome is null and n > ${whole(request.after)} order by n limit ${whole(request.limit)})
    select p.n, p.key as row_key, p.change, p.attempts, k.key is not null as is_known, k.target_key, k.vendor_id, cast(k.fingerprint as text) as known_fingerprint,
      s.${quoted(source.key[0]!.name)} is not null as is_there, cast(${fingerprint(dialect, source.columns, request.mapVersion)} as text) as current_fingerprint,
      ${shared} as is_shared,
      case when p.code = ${literal(inJobCode)} then p.cause end as job, p.target_key as job_key, cast(p.sent_fingerprint as text) as job_fingerprint${values}
    from page p
    left join ${schema}.row_state k on k.sync_id = ${sync} and k.key = p.key
    left join ${source.sql} s on ${keyMatch(dialect, source.key, 'p.key')}${neighbours(dialect, source.key, facts)}
    order by p.n`;
}

const endColumns = {
  n: 'integer',
  outcome: 'text',
  code: 'text',
  cause: 'text',
  attempts: 'integer',
  fingerprint: 'uuid',
  targetKey: 'text',
  vendorId: 'text',
} as const;

/** `$1`: run, `$2`: chunk, `$3`: lease, `$4`: rows as JSON. Writes nothing once the lease is somebody else's. */
export function commitRows(dialect: Dialect): string {
  const { schema } = dialect;
  return `update ${schema}.run_rows as r set outcome = u.outcome, code = u.code, cause = u.cause, attempts = u.attempts,
      sent_fingerprint = u.fingerprint, target_key = coalesce(u."targetKey", r.target_key), vendor_id = coalesce(u."vendorId", r.vendor_id), ended_at = now()
    from ${dialect.jsonRows('$4', endColumns)}
    where r.run_id = $1 and r.chunk = $2 and r.n = u.n and r.outcome is null
      and exists (select 1 from ${schema}.run_chunks c where c.run_id = $1 and c.chunk = $2 and c.lease = $3)
    returning 1 as written`;
}

/** Moves the ends of rows into what is known. `rows`: which rows of `run_rows r`; `op`: what all of them are, where that is known. Harmless when repeated. */
export function settle(dialect: Dialect, syncId: string, rows: string, op?: 'upsert' | 'remove'): string[] {
  return [
    ...(op === 'remove' ? [] : settleWritten(dialect, syncId, rows)),
    ...(op === 'upsert' ? [] : settleRemoved(dialect, syncId, rows)),
    ...settleRefused(dialect, syncId, rows),
  ];
}

function settleWritten(dialect: Dialect, syncId: string, rows: string): string[] {
  const { schema } = dialect;
  const sync = literal(syncId);
  return [
    ...dialect.mergeState(
      `select ${sync} as sync_id, r.key, r.sent_fingerprint as fingerprint, r.target_key, r.vendor_id, r.ended_at as settled_at, r.run_id
        from ${schema}.run_rows r where ${rows} and r.op = 'upsert' and ${settled} and r.sent_fingerprint is not null`,
    ),
    // Handed over, and nobody knows what became of it: should the row leave the source now, its removal must still be due.
    ...dialect.mergeState(
      `select ${sync} as sync_id, r.key, cast('${unsureFingerprint}' as uuid) as fingerprint, r.target_key, r.vendor_id, r.ended_at as settled_at, r.run_id
        from ${schema}.run_rows r where ${rows} and r.op = 'upsert' and r.outcome in ${unsure} and r.target_key is not null
          and not exists (select 1 from ${schema}.row_state k where k.sync_id = ${sync} and k.key = r.key)`,
    ),
  ];
}

/** When a removal became due: when somebody asked for it, or a run first noticed. */
function askedAt(schema: string, sync: string): string {
  return `least((select min(x.asked_at) from ${schema}.suppression x where x.key = r.key and x.sync_id in ('*', ${sync})),
    (select u.started_at from ${schema}.runs u where u.run_id = r.run_id))`;
}

function settleRemoved({ schema }: Dialect, syncId: string, rows: string): string[] {
  const sync = literal(syncId);
  return [
    // What left, for those who have to prove it. `receipt`: the vendor's jobs, by our names of them.
    `insert into ${schema}.removals (sync_id, key, change, asked_at, removed_at, outcome, receipt, run_id)
      select ${sync}, r.key, r.change, least(${askedAt(schema, sync)},
          (select j.first_seen from ${schema}.rejected j where j.sync_id = ${sync} and j.key = r.key and j.op = 'remove')), r.ended_at, r.outcome,
        (select c.job from ${schema}.run_chunks c where c.run_id = r.run_id and c.chunk = r.chunk), r.run_id
      from ${schema}.run_rows r where ${rows} and r.op = 'remove' and r.outcome in ('accepted', 'verified')
        and not exists (select 1 from ${schema}.removals d where d.run_id = r.run_id and d.key = r.key)`,
    `delete from ${schema}.row_state as k using ${schema}.run_rows r
      where ${rows} and r.op = 'remove' and ${settled} and k.sync_id = ${sync} and k.key = r.key`,
  ];
}

function settleRefused(dialect: Dialect, syncId: string, rows: string): string[] {
  const { schema } = dialect;
  const sync = literal(syncId);
  return [
    `delete from ${schema}.rejected as j using ${schema}.run_rows r
      where ${rows} and ${settled} and j.sync_id = ${sync} and j.key = r.key`,
    insertRejected(
      dialect,
      `select ${sync}, r.key, r.op, case when r.op = 'remove' then r.fingerprint else r.sent_fingerprint end, r.outcome, coalesce(r.code, upper(r.outcome)),
        coalesce(r.cause, case when r.op = 'remove' then 'the run ended before this was removed' else '' end),
        case when r.op = 'remove' then ${askedAt(schema, sync)} else r.ended_at end, r.ended_at, 1, r.run_id
        from ${schema}.run_rows r where ${rows} and (r.outcome in ('rejected', 'invalid') or r.op = 'remove' and r.outcome in ${stillThere})`,
    ),
  ];
}
