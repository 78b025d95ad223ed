/** The inbox: one row per event, from the door to its outcome. Columns are explained in ledger/README.md. */
export const sql = /* sql */ `
create table syncline.inbox (
  id bigint generated always as identity primary key,
  sync_id text not null,
  source text not null,
  account text not null,
  event_id text not null,
  topic text not null,
  occurred_at timestamptz,
  received_at timestamptz not null,
  workflow_id text not null,
  state text not null default 'new' check (state in ('new', 'claimed', 'started', 'closed')),
  body bytea,
  queued_at timestamptz not null,
  start_after timestamptz not null,
  claimed_by text,
  started_at timestamptz,
  checked_at timestamptz,
  closed_at timestamptz,
  outcome text,
  finding text,
  code text,
  cause text,
  attempts integer not null default 0,
  fallback boolean not null default false,
  key_hmacs text[] not null default '{}',
  run_id text,
  past_run_ids text[] not null default '{}',
  rearmed boolean not null default false,
  duplicates integer not null default 0,
  receipt text not null default 'new' check (receipt in ('new', 'duplicate', 'rearmed')),
  check ((state = 'closed') = (outcome is not null))
) with (
  -- A queue dies by its dead rows, and the funnel is quick where pages are known to be clean: after 2 % of changes, not 20 %.
  autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02
);

-- Led by the event id, which nearly always decides alone, so that it also answers a look-up by event id.
create unique index inbox_event on syncline.inbox (event_id, sync_id, account);
create index inbox_workflow on syncline.inbox (workflow_id);
create index inbox_key_hmacs on syncline.inbox using gin (key_hmacs);
-- Few different values, so btree deduplication keeps it some bytes a row: the funnel is a scan of this index alone.
create index inbox_outcome on syncline.inbox (sync_id, outcome, code);
-- Rows lie in the order they came in: some bytes per hundred pages find those of a time.
create index inbox_received on syncline.inbox using brin (received_at) with (autosummarize = on);
-- The queue. Both columns are tested inside the index, so that a backlog that waits does not cost a heap visit a row.
create index inbox_to_start on syncline.inbox (queued_at, start_after) where state in ('new', 'claimed');
create index inbox_to_check on syncline.inbox (checked_at) where state = 'started';
create index inbox_open on syncline.inbox (sync_id, state) where state <> 'closed';
create index inbox_failed on syncline.inbox (id) where outcome in ('rejected', 'invalid', 'expired', 'failed');
create index inbox_duplicates on syncline.inbox (sync_id, duplicates) where duplicates > 0;
create index inbox_findings on syncline.inbox (sync_id, finding) where finding is not null;

create table syncline.door (
  sync_id text not null,
  source text not null,
  account text not null,
  reason text not null,
  count bigint not null,
  last_at timestamptz not null,
  primary key (sync_id, source, account, reason)
);
`;
