import { recordOutcomesCte } from './outcomes';

// In what follows `f` is the row as it is and `excluded` the confirmed call: `claims` carries the call's number, and
// `version_at` is null when nothing landed. Written as one upsert, so that it also mends a fence that lost the row.
const landing = 'excluded.version_at is not null';
const landingOrder = '(excluded.version_at, excluded.version_arrival, excluded.map_version)';
const landedOrder = '(f.version_at, f.version_arrival, f.map_version)';
const newer = `(${landing} and (f.fields is null or ${landingOrder} > ${landedOrder}))`;
const equal = `(${landing} and f.fields is not null and ${landingOrder} = ${landedOrder})`;
const stillOpen = `f.open_calls @> jsonb_build_array(jsonb_build_object('claim', excluded.claims))`;

/** The fields of `row`, each with the order of `row`. */
const fieldsAt = (row: string, where: string) => /* sql */ `coalesce((
      select jsonb_object_agg(field, jsonb_build_array(${row}.version_at, ${row}.version_arrival, ${row}.map_version))
      from unnest(${row}.fields) as field where ${where}), '{}')`;

/**
 * `older_fields` after a landing: what the new landed version does not cover keeps the order it had. A late one, older
 * than what landed, can only raise fields that the newer did not write.
 */
const olderFields = /* sql */ `case
    when ${newer} and '*' = any(excluded.fields) then '{}'
    when ${newer} then (f.older_fields || ${fieldsAt('f', 'true')}) - excluded.fields
    when ${equal} and '*' = any(excluded.fields) then '{}'
    when ${equal} then f.older_fields - excluded.fields
    when ${landing} and not '*' = any(f.fields) then f.older_fields || ${fieldsAt(
      'excluded',
      `not field = any(f.fields) and (f.older_fields -> field is null
        or f.older_fields -> field < jsonb_build_array(excluded.version_at, excluded.version_arrival, excluded.map_version))`,
    )}
    else f.older_fields end`;

/** Ends the calls, moves the landed versions on and closes the events: all in one statement, and the same when repeated. */
export const confirmSql = /* sql */ `
with fence as (
  insert into syncline.fence as f (sync_id, vendor, account, object, key_hmac, claims, revision,
    version_at, version_arrival, map_version, fields, vendor_id, landed_at)
  select "syncId", vendor, account, object, "keyHmac", claim, 1,
    case when landed then (call #>> '{order,0}')::bigint end, case when landed then (call #>> '{order,1}')::bigint end,
    case when landed then (call #>> '{order,2}')::int end,
    case when landed then array(select jsonb_array_elements_text(call -> 'fields')) end, "vendorId", case when landed then now() end
  from json_to_recordset($1::json) as i("syncId" text, vendor text, account text, object text, "keyHmac" text,
    claim int, landed boolean, "vendorId" text, call jsonb)
  on conflict (sync_id, vendor, account, object, key_hmac) do update set
    revision = f.revision + 1,
    open_calls = coalesce((
      select jsonb_agg(open_call order by position) from jsonb_array_elements(f.open_calls) with ordinality as t(open_call, position)
      where (open_call ->> 'claim')::int <> excluded.claims), '[]'),
    older_fields = ${olderFields},
    version_at = case when ${newer} then excluded.version_at else f.version_at end,
    version_arrival = case when ${newer} then excluded.version_arrival else f.version_arrival end,
    map_version = case when ${newer} then excluded.map_version else f.map_version end,
    fields = case when ${newer} then excluded.fields
      when ${equal} then array(select unnest(f.fields) union select unnest(excluded.fields) order by 1)
      else f.fields end,
    vendor_id = case when ${newer} or ${equal} then coalesce(excluded.vendor_id, f.vendor_id) else coalesce(f.vendor_id, excluded.vendor_id) end,
    landed_at = case when ${newer} or (${equal} and ${stillOpen}) then excluded.landed_at else f.landed_at end,
    -- A repeated confirmation must not undo what was found out since.
    verification = case when ${newer} or (${equal} and ${stillOpen}) then null else f.verification end,
    verified_at = case when ${newer} or (${equal} and ${stillOpen}) then null else f.verified_at end
  returning 1
), ${recordOutcomesCte(2)}
select (select count(*) from fence) as fence, (select count(*) from outcomes) as outcomes
`;

/** Says of landed versions what a later look found; another version's finding is nobody's business any more. */
export const findingsSql = /* sql */ `
with input as materialized (
  select * from json_to_recordset($1::json) as t("syncId" text, vendor text, account text, object text, "keyHmac" text,
    at bigint, arrival bigint, result text, "workflowId" text)
), fence as (
  update syncline.fence f set verification = i.result, verified_at = now(), revision = f.revision + 1
  from input i
  where f.sync_id = i."syncId" and f.vendor = i.vendor and f.account = i.account and f.object = i.object
    and f.key_hmac = i."keyHmac" and f.version_at = i.at and f.version_arrival = i.arrival
  returning i."workflowId", i.result
)
update syncline.inbox i set
  outcome = case when fence.result = 'verified' then 'verified' else i.outcome end,
  finding = case when fence.result = 'verified' then null else fence.result end
from fence
where i.workflow_id = fence."workflowId" and i.outcome in ('accepted', 'verified')
`;
