import { type Database, text } from './database';
import { decide, type FenceState, normalFields, type OpenCall, type Order, orderOf, REASK_LIVE_MS } from './decide';
import { confirmSql, findingsSql } from './fence-confirm';
import { outcomesParameter } from './outcomes';
import type { ClaimRequest, ClaimResult, Fence } from './port';

/** Which record: the fence's primary key. */
type Place = Pick<ClaimRequest, 'syncId' | 'vendor' | 'account' | 'object' | 'keyHmac'>;

/** A request as it goes into a statement. */
interface Row extends Place {
  ord: number;
  call: Pick<OpenCall, 'workflowId' | 'order' | 'fields'>;
}

/** How often a claim that lost a race looks again before it asks its caller to come back. */
const MAX_ROUNDS = 5;

/** Order of writes to one record, kept in the database: across workers, restarts and replays. */
export function createFence(db: Database): Fence {
  return {
    async claim(requests, { claimMs }) {
      const rows = sortedRows(requests);
      const results = new Map<string, ClaimResult>();
      if (rows.length === 0) return [];
      const granted = await db.run<Place & { claims: number }>({ name: 'fence-claim', text: claimSql, values: [JSON.stringify(rows), claimMs] });
      for (const row of granted) results.set(placeOf(row), { kind: 'claimed', claim: row.claims, ambiguous: false, dropFields: [] });
      const byPlace = new Map(requests.map((request) => [placeOf(request), request]));
      let refused = rows.filter((row) => !results.has(placeOf(row)));
      for (let round = 1; refused.length > 0; round++) {
        await settleRefused(db, refused, byPlace, claimMs, results);
        refused = refused.filter((row) => !results.has(placeOf(row)));
        if (round < MAX_ROUNDS) continue;
        for (const row of refused) results.set(placeOf(row), { kind: 'wait', untilMs: Date.now() + REASK_LIVE_MS });
        break;
      }
      return requests.map((request) => results.get(placeOf(request)) as ClaimResult);
    },

    async confirm(confirmations, outcomes) {
      if (confirmations.length === 0 && outcomes.length === 0) return;
      const rows = sortedRows(confirmations).map((row) => {
        const { landed, vendorId, claim } = confirmations[row.ord] as (typeof confirmations)[number];
        // Without its number the call would stay open, and the record shut, for ever.
        if (!Number.isInteger(claim)) throw new TypeError('a confirmation needs the number its claim was given');
        return { ...row, claim, landed, vendorId: vendorId === undefined ? null : text(vendorId) };
      });
      await db.run({ name: 'fence-confirm', text: confirmSql, values: [JSON.stringify(rows), outcomesParameter(outcomes)] });
    },

    async recordFindings(findings) {
      if (findings.length === 0) return;
      const rows = sortBy(findings, placeOf).map((finding) => ({ ...finding, at: finding.version.at, arrival: finding.version.arrival }));
      await db.run({ name: 'fence-findings', text: findingsSql, values: [JSON.stringify(rows)] });
    },
  };
}

/** What the one statement did not grant is looked at, decided, and written only if nobody wrote meanwhile. */
async function settleRefused(
  db: Database,
  refused: Row[],
  byPlace: ReadonlyMap<string, ClaimRequest>,
  claimMs: number,
  results: Map<string, ClaimResult>,
): Promise<void> {
  const states = await db.run<StateRow>({ name: 'fence-read', text: readSql, values: [JSON.stringify(refused)] });
  const retaken = new Map<string, { revision: number; keep: OpenCall[]; ambiguous: boolean; dropFields: string[] }>();
  for (const row of states) {
    const place = placeOf(row);
    const request = byPlace.get(place);
    if (!request) continue;
    const decision = decide(toState(row), request, row.now_ms);
    if (decision.kind === 'claim') retaken.set(place, { ...decision, revision: row.revision });
    // The database's clock, told by ours: what the caller waits by.
    else if (decision.kind === 'wait') results.set(place, { kind: 'wait', untilMs: Date.now() + Math.ceil(decision.untilMs - row.now_ms) });
    else results.set(place, decision);
  }
  const rows = refused.flatMap((row, rank) => {
    const taken = retaken.get(placeOf(row));
    return taken ? [{ ...row, rank, call: sentPart(row.call, taken.dropFields), revision: taken.revision, keep: taken.keep }] : [];
  });
  if (rows.length === 0) return;
  const granted = await db.run<Place & { claims: number }>({ name: 'fence-retake', text: retakeSql, values: [JSON.stringify(rows), claimMs] });
  for (const row of granted) {
    const { ambiguous = false, dropFields = [] } = retaken.get(placeOf(row)) ?? {};
    results.set(placeOf(row), { kind: 'claimed', claim: row.claims, ambiguous, dropFields });
  }
}

function sentPart(call: Row['call'], dropFields: readonly string[]): Row['call'] {
  return { ...call, fields: call.fields.filter((field) => !dropFields.includes(field)) };
}

/** In one order for all statements of all processes: two batches with common records queue up instead of deadlocking. */
function sortedRows(requests: readonly ClaimRequest[]): Row[] {
  const rows = requests.map((request, ord): Row => ({
    syncId: request.syncId,
    vendor: request.vendor,
    account: request.account,
    object: request.object,
    keyHmac: request.keyHmac,
    ord,
    call: { workflowId: text(request.workflowId), order: orderOf(request), fields: normalFields(request.fields) },
  }));
  if (new Set(rows.map(placeOf)).size < rows.length) throw new TypeError('one call to the fence may name each record once only');
  return sortBy(rows, placeOf);
}

function sortBy<T>(items: readonly T[], key: (item: T) => string): T[] {
  return [...items].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function placeOf({ syncId, vendor, account, object, keyHmac }: Place): string {
  return JSON.stringify([syncId, vendor, account, object, keyHmac]);
}

interface StateRow extends Place {
  now_ms: number;
  revision: number;
  version_at: string | null;
  version_arrival: string | null;
  map_version: number | null;
  fields: string[] | null;
  vendor_id: string | null;
  verification: string | null;
  older_fields: Record<string, Order>;
  open_calls: OpenCall[];
}

function toState(row: StateRow): FenceState {
  const { verification, fields, vendor_id: vendorId } = row;
  const order: Order = [Number(row.version_at), Number(row.version_arrival), row.map_version ?? 0];
  const reopened = verification === 'missing' || verification === 'drifted';
  return {
    landed: fields === null ? null : { order, fields, vendorId, reopened },
    olderFields: row.older_fields,
    openCalls: row.open_calls,
  };
}

const placeColumns = 'sync_id, vendor, account, object, key_hmac';
const inputPlace = '"syncId" text, vendor text, account text, object text, "keyHmac" text';
const samePlace = `f.sync_id = i."syncId" and f.vendor = i.vendor and f.account = i.account and f.object = i.object and f.key_hmac = i."keyHmac"`;
const placeResult = 'f.sync_id as "syncId", f.vendor, f.account, f.object, f.key_hmac as "keyHmac"';
const nowMs = '(extract(epoch from clock_timestamp()) * 1000)::float8';

// The common case, complete: no open call, and what landed is older. Everything else is left to decide().
const claimSql = /* sql */ `
insert into syncline.fence as f (${placeColumns}, claims, revision, open_calls)
select "syncId", vendor, account, object, "keyHmac", 1, 1,
  jsonb_build_array(call || jsonb_build_object('claim', 1, 'untilMs', ${nowMs} + $2::float8))
from json_to_recordset($1::json) as i(${inputPlace}, call jsonb)
on conflict (${placeColumns}) do update set
  claims = f.claims + 1,
  revision = f.revision + 1,
  open_calls = jsonb_build_array((excluded.open_calls -> 0) || jsonb_build_object('claim', f.claims + 1))
where f.open_calls = '[]' and (f.fields is null
  or (f.version_at, f.version_arrival, f.map_version) <
    ((excluded.open_calls #>> '{0,order,0}')::bigint, (excluded.open_calls #>> '{0,order,1}')::bigint, (excluded.open_calls #>> '{0,order,2}')::int))
returning ${placeResult}, f.claims
`;

const readSql = /* sql */ `
select ${placeResult}, ${nowMs} as now_ms, f.revision, f.version_at, f.version_arrival, f.map_version, f.fields, f.vendor_id,
  f.verification, f.older_fields, f.open_calls
from json_to_recordset($1::json) as i(${inputPlace})
join syncline.fence f on ${samePlace}
`;

const retakeSql = /* sql */ `
with input as materialized (
  select * from json_to_recordset($1::json) as i(rank int, ${inputPlace}, call jsonb, revision int, keep jsonb)
), locked as materialized (
  select i.* from input i join syncline.fence f on ${samePlace} order by i.rank for update of f
)
update syncline.fence f set
  claims = f.claims + 1,
  revision = f.revision + 1,
  open_calls = i.keep || (i.call || jsonb_build_object('claim', f.claims + 1, 'untilMs', ${nowMs} + $2::float8))
from locked i
where ${samePlace} and f.revision = i.revision
returning ${placeResult}, f.claims
`;
