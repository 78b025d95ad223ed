/** The fence: one row per sync, place and record. Columns are explained in ledger/README.md. */
export const sql = /* sql */ `
create table syncline.fence (
  sync_id text not null,
  vendor text not null,
  account text not null,
  object text not null,
  key_hmac text not null,
  version_at bigint,
  version_arrival bigint,
  map_version integer,
  fields text[],
  older_fields jsonb not null default '{}',
  landed_at timestamptz,
  vendor_id text,
  verification text check (verification in ('verified', 'missing', 'drifted')),
  verified_at timestamptz,
  open_calls jsonb not null default '[]',
  claims integer not null default 0,
  revision integer not null default 0,
  primary key (sync_id, vendor, account, object, key_hmac)
) with (
  -- Every delivery rewrites its row twice and touches no index: room for that on the same page.
  fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05
);

create index fence_key on syncline.fence (key_hmac);
`;
