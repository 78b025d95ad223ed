import { type Database, text } from './database';
import type { OutcomeRow, Outcomes } from './port';

/** What became of events, for their rows. */
export function createOutcomes(db: Database): Outcomes {
  return {
    async record(rows) {
      if (rows.length === 0) return;
      await db.run({ name: 'record-outcomes', text: `with ${recordOutcomesCte(1)} select count(*) from outcomes`, values: [outcomesParameter(rows)] });
    },

    async recordLost(rowIds) {
      if (rowIds.length > 0) await db.run({ name: 'record-lost', text: recordLostSql, values: [rowIds] });
    },
  };
}

/** The rows as the parameter of {@link recordOutcomesCte}: the last of each event, in an order that all writers share. */
export function outcomesParameter(rows: readonly OutcomeRow[]): string {
  const last = new Map(rows.map((row) => [JSON.stringify([row.eventId, row.syncId, row.account]), row]));
  const sorted = [...last.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(
    sorted.map(([, row]) => ({
      ...row,
      eventId: text(row.eventId),
      topic: text(row.topic),
      workflowId: text(row.workflowId),
      cause: row.cause === undefined ? null : text(row.cause),
      code: row.code === undefined ? null : text(row.code),
      fallback: row.fallback ?? false,
    })),
  );
}

/**
 * A common table expression named `outcomes` that closes the rows, and makes those of direct starts. The fence's confirm
 * puts it into its own statement, so that both commit or neither.
 *
 * What an older run says late, after the row was re-armed or reopened for a new one, is no news: its outcome is in
 * `past_run_ids` already. And a repeated `accepted` does not undo the `verified` of the same run.
 */
export function recordOutcomesCte(parameter: number): string {
  return /* sql */ `outcomes as (
  insert into syncline.inbox as i (sync_id, source, account, event_id, topic, received_at, queued_at, start_after, workflow_id,
    state, started_at, closed_at, outcome, code, cause, attempts, fallback, key_hmacs, run_id)
  select "syncId", source, account, "eventId", topic, "receivedAt", "receivedAt", "receivedAt", "workflowId",
    'closed', now(), now(), outcome, code, cause, attempts, fallback,
    array(select jsonb_array_elements_text("keyHmacs")), "runId"
  from json_to_recordset($${parameter}::json) as t("syncId" text, source text, account text, "eventId" text, topic text,
    "receivedAt" timestamptz, "workflowId" text, outcome text, code text, cause text, attempts int, fallback boolean,
    "keyHmacs" jsonb, "runId" text)
  on conflict (event_id, sync_id, account) do update set
    state = 'closed',
    closed_at = case when i.run_id = excluded.run_id then coalesce(i.closed_at, excluded.closed_at) else excluded.closed_at end,
    started_at = coalesce(i.started_at, excluded.started_at),
    outcome = excluded.outcome, finding = case when i.run_id = excluded.run_id then i.finding end, code = excluded.code, cause = excluded.cause,
    attempts = excluded.attempts, fallback = excluded.fallback, run_id = excluded.run_id, workflow_id = excluded.workflow_id,
    key_hmacs = case when excluded.key_hmacs = '{}' then i.key_hmacs else excluded.key_hmacs end,
    body = case when excluded.outcome in ('verified', 'accepted', 'skipped', 'superseded') then null else i.body end
  where not excluded.run_id = any(i.past_run_ids)
    and (i.outcome = 'verified' and excluded.outcome = 'accepted' and i.run_id = excluded.run_id) is not true
  returning 1
)`;
}

// The body stays: a lost run can be replayed.
const recordLostSql = /* sql */ `
update syncline.inbox set state = 'closed', closed_at = now(), outcome = 'failed', code = 'RUN_LOST',
  cause = 'The run ended without an outcome: it was terminated, or its history is gone.'
where id = any($1::bigint[]) and state = 'started'
`;
