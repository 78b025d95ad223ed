import type { ArrivalListener } from './arrival';
import type { BodyCodec } from './body';
import type { Database, LedgerLog } from './database';
import { text } from './database';
import type { DoorCounter } from './door';
import { type EventColumns, eventColumns, toSourceEvent } from './events';
import type { Inbox, StartableEvent } from './port';
import type { Receiver } from './receive';

/** What the inbox is made of. */
export interface InboxParts {
  db: Database;
  codec: BodyCodec;
  log: LedgerLog;
  receiver: Receiver;
  door: DoorCounter;
  arrivals: ArrivalListener;
}

/** A body that can't be read is tried again after this, milliseconds. */
const unreadableMs = 300_000;

/** Events from the door until their run has started. */
export function createInbox({ db, codec, log, receiver, door, arrivals }: InboxParts): Inbox {
  const startable = async (row: StartableRow): Promise<StartableEvent | undefined> => {
    try {
      if (row.body === null) throw new Error('an event that waits to start has no body');
      const event = await toSourceEvent(codec, { ...row, body: row.body });
      return { rowId: row.id, syncId: row.sync_id, workflowId: row.workflow_id, rearmed: row.rearmed, event };
    } catch (error) {
      // One body that can't be read (a key is missing) must not stop the others; it stays visible as backlog, and is tried
      // again after a while: at once, many of them would take every place of the backlog's.
      log.error({ err: error, rowId: row.id, workflowId: row.workflow_id }, 'the body of an event cannot be read');
      return undefined;
    }
  };

  return {
    receive: (events) => receiver.receive(events),
    countAtDoor: (count) => door.count(count),
    onArrival: (listener) => arrivals.add(listener),

    async claimForStart({ owner, limit, claimMs, backlogAfterMs }) {
      const rows = await db.run<StartableRow>({ name: 'claim-for-start', text: claimForStartSql, values: [limit, backlogAfterMs, owner, claimMs] });
      const events = (await Promise.all(rows.map(startable))).filter((event) => event !== undefined);
      const readable = new Set(events.map((event) => event.rowId));
      const unreadable = rows.filter((row) => !readable.has(row.id)).map((row) => row.id);
      if (unreadable.length > 0) await db.run({ name: 'release', text: releaseSql, values: [unreadable, unreadableMs] });
      return events;
    },

    async markStarted(rowIds) {
      if (rowIds.length > 0) await db.run({ name: 'mark-started', text: markStartedSql, values: [rowIds] });
    },

    async release(rowIds, delayMs) {
      if (rowIds.length > 0) await db.run({ name: 'release', text: releaseSql, values: [rowIds, delayMs] });
    },

    async reopen(workflowId) {
      return (await db.run({ name: 'reopen', text: reopenSql, values: [text(workflowId)] })).length > 0;
    },

    async claimForCheck({ olderThanMs, everyMs, limit }) {
      const rows = await db.run<{ id: string; workflow_id: string; sync_id: string }>({
        name: 'claim-for-check',
        text: claimForCheckSql,
        values: [olderThanMs, everyMs, limit],
      });
      return rows.map((row) => ({ rowId: row.id, workflowId: row.workflow_id, syncId: row.sync_id }));
    },

    async backlog() {
      const [row] = await db.run<{ rows: string; oldest_age_ms: number }>({ name: 'backlog', text: backlogSql, values: [] });
      return { rows: Number(row?.rows ?? 0), oldestAgeMs: row?.oldest_age_ms ?? 0 };
    },
  };
}

interface StartableRow extends EventColumns {
  id: string;
  sync_id: string;
  workflow_id: string;
  rearmed: boolean;
}

// `start_after` is when a new row may be started, and when the claim of a claimed one lapses: one test for both. The two
// halves walk the same partial index from their own ends of `queued_at`, so a backlog of any size costs what is taken.
const claimForStartSql = /* sql */ `
with fresh as materialized (
  select id, queued_at from syncline.inbox
  where state in ('new', 'claimed') and start_after <= now() and queued_at > now() - $2::float8 * interval '1 millisecond'
  order by queued_at limit $1::int for update skip locked
), backlog as materialized (
  select id from syncline.inbox
  where state in ('new', 'claimed') and start_after <= now() and queued_at <= now() - $2::float8 * interval '1 millisecond'
  order by queued_at limit greatest($1::int / 2, $1::int - (select count(*) from fresh)) for update skip locked
), chosen as (
  select id from backlog
  union all
  (select id from fresh order by queued_at limit $1::int - (select count(*) from backlog))
), claimed as (
  update syncline.inbox i
  set state = 'claimed', claimed_by = $3, start_after = now() + $4::float8 * interval '1 millisecond'
  from chosen where i.id = chosen.id
  returning i.id, i.sync_id, i.workflow_id, i.rearmed, i.queued_at, i.received_at, i.occurred_at,
    i.event_id, i.source, i.account, i.topic, i.body
)
select id, sync_id, workflow_id, rearmed, ${eventColumns} from claimed order by queued_at
`;

// Not 'new': it was re-armed meanwhile and must start once more. Not 'closed': its run was quicker than we are.
const markStartedSql = /* sql */ `
update syncline.inbox set state = 'started', started_at = now(), checked_at = now()
where id = any($1::bigint[]) and state = 'claimed'
`;

const releaseSql = /* sql */ `
update syncline.inbox set state = 'new', start_after = now() + $2::float8 * interval '1 millisecond'
where id = any($1::bigint[]) and state = 'claimed'
`;

const reopenSql = /* sql */ `
update syncline.inbox
set state = case when state = 'closed' then 'started' else state end, started_at = now(), checked_at = now(),
  outcome = null, finding = null, code = null, cause = null, closed_at = null, run_id = null,
  past_run_ids = array_remove(past_run_ids || run_id, null)
where workflow_id = $1 returning id
`;

const claimForCheckSql = /* sql */ `
update syncline.inbox set checked_at = now()
where id in (
  select id from syncline.inbox
  where state = 'started' and checked_at <= now() - least($1::float8, $2::float8) * interval '1 millisecond'
    and started_at <= now() - $1::float8 * interval '1 millisecond'
    and (checked_at = started_at or checked_at <= now() - $2::float8 * interval '1 millisecond')
  order by checked_at limit $3::int for update skip locked)
returning id, workflow_id, sync_id
`;

const backlogSql = /* sql */ `
select count(*) as rows,
  coalesce(extract(epoch from clock_timestamp() - min(queued_at)) * 1000, 0)::float8 as oldest_age_ms
from syncline.inbox where state in ('new', 'claimed')
`;
