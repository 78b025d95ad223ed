import type { Database } from './database';
import { isDataError, text } from './database';
import { GroupCommit } from './group-commit';
import type { BodyCodec } from './body';
import { encodeBody } from './body';
import type { NewInboxEvent, Receipt } from './port';
import { failedOutcomes } from '../schemas/outcome';

/** One event as it goes into the statement. `body` is encoded, in base64: JSON has no bytes. */
interface ReceivedEvent {
  sync_id: string;
  source: string;
  account: string;
  event_id: string;
  topic: string;
  occurred_ms: number | null;
  workflow_id: string;
  body: string;
}

/** Channel on which a committed arrival wakes the starters. */
export const ARRIVAL_CHANNEL = 'syncline_inbox';

/** The gateway has 3 s for its answer and wants some of them for itself. */
const RECEIVE_TIMEOUT_MS = 2_000;

// Beyond some hundred events a statement's own work outweighs the commit it saves. Two in flight: while one waits for the
// disk the next is parsed; more only wait for each other, as commits that notify are serialised by PostgreSQL.
const limits = { maxItems: 200, maxBytes: 8 * 1024 * 1024, maxInFlight: 2 };

/** The door of the inbox: deliveries that come in together share a commit. */
export class Receiver {
  private readonly commits: GroupCommit<ReceivedEvent[], Receipt[]>;

  constructor(
    private readonly db: Database,
    private readonly codec: BodyCodec,
    options: Partial<typeof limits> = {},
  ) {
    this.commits = new GroupCommit((deliveries) => this.commit(deliveries), {
      ...limits,
      ...options,
      timeoutMs: RECEIVE_TIMEOUT_MS,
      bytes: (events) => events.reduce((sum, event) => sum + event.body.length + 500, 0),
      isItemsFault: isDataError,
    });
  }

  async receive(events: readonly NewInboxEvent[]): Promise<Receipt[]> {
    if (events.length === 0) return [];
    const encoded = await Promise.all(
      events.map(async (event): Promise<ReceivedEvent> => ({
        sync_id: event.syncId,
        source: event.source,
        account: event.account,
        event_id: text(event.eventId),
        topic: text(event.topic),
        occurred_ms: sourceTime(event.occurredAt),
        workflow_id: text(event.workflowId),
        body: (await encodeBody(this.codec, event.body)).toString('base64'),
      })),
    );
    return this.commits.submit(encoded);
  }

  /** Commits whole deliveries in one statement. */
  private async commit(deliveries: ReceivedEvent[][]): Promise<Receipt[][]> {
    // A statement can't touch a row twice, and two gateways that insert in different orders would lock each other out:
    // repeats become a number, and rows go in the order of their key. `ord` keeps the order of arrival.
    const rows = new Map<string, ReceivedEvent & { ord: number; repeats: number }>();
    let ord = 0;
    for (const event of deliveries.flat()) {
      const known = rows.get(keyOf(event));
      if (known) known.repeats++;
      else rows.set(keyOf(event), { ...event, ord: ord++, repeats: 0 });
    }
    const sorted = [...rows.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row], rank) => ({ ...row, rank }));
    const stored = await this.db.run<Pick<ReceivedEvent, 'sync_id' | 'account' | 'event_id'> & { receipt: Receipt }>({
      name: 'receive',
      text: receiveSql,
      values: [JSON.stringify(sorted)],
      timeoutMs: RECEIVE_TIMEOUT_MS,
    });
    const receipts = new Map(stored.map((row) => [keyOf(row), row.receipt]));
    // The first of several equal events gets the row's receipt, the others are duplicates of it.
    const take = (event: ReceivedEvent): Receipt => {
      const receipt = receipts.get(keyOf(event)) ?? 'duplicate';
      receipts.set(keyOf(event), 'duplicate');
      return receipt;
    };
    return deliveries.map((events) => events.map(take));
  }
}

function keyOf({ event_id, sync_id, account }: Pick<ReceivedEvent, 'sync_id' | 'account' | 'event_id'>): string {
  return JSON.stringify([event_id, sync_id, account]);
}

/** What can't be a time must not refuse the delivery, nor those that share its statement: arrival stands in. */
function sourceTime(ms: number | null): number | null {
  return ms !== null && Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? Math.trunc(ms) : null;
}

const failed = `i.outcome in (${failedOutcomes.map((outcome) => `'${outcome}'`).join(', ')})`;

/** What a redelivery makes of a row whose run failed. Its version stays that of the first arrival. */
const rearm = [
  ['state', `'new'`],
  ['rearmed', 'true'],
  ['body', 'excluded.body'],
  ['workflow_id', 'excluded.workflow_id'],
  ['queued_at', 'excluded.queued_at'],
  ['start_after', 'excluded.start_after'],
  ['past_run_ids', 'array_remove(i.past_run_ids || i.run_id, null)'],
  ...['run_id', 'outcome', 'finding', 'code', 'cause', 'closed_at'].map((column) => [column, 'null']),
];

// `received_at` doubles as the version's arrival. Microseconds are counted up inside a statement, so that events of one
// delivery never tie; two statements can only tie by chance, for one record, in one source second, to the microsecond.
const receiveSql = /* sql */ `
with input as materialized (
  -- Lists go by id: numbered in the order of arrival, though inserted in that of the key.
  select nextval('syncline.inbox_id_seq') as id, t.* from (
    select * from json_to_recordset($1::json) as t(rank int, ord int, repeats int, sync_id text, source text, account text,
      event_id text, topic text, occurred_ms float8, workflow_id text, body text) order by ord) t
), clock as materialized (
  select clock_timestamp() as now
), stored as (
  insert into syncline.inbox as i (id, sync_id, source, account, event_id, topic, occurred_at, received_at, queued_at,
    start_after, workflow_id, body, duplicates)
  overriding system value
  select id, sync_id, source, account, event_id, topic, timestamptz 'epoch' + occurred_ms * interval '1 millisecond',
    now + ord * interval '1 microsecond', now + ord * interval '1 microsecond', now, workflow_id, decode(body, 'base64'), repeats
  from input cross join clock order by rank
  on conflict (event_id, sync_id, account) do update set
    receipt = case when ${failed} then 'rearmed' else 'duplicate' end,
    duplicates = i.duplicates + excluded.duplicates + case when ${failed} then 0 else 1 end,
    ${rearm.map(([column, value]) => `${column} = case when ${failed} then ${value} else i.${column} end`).join(',\n    ')}
  returning i.sync_id, i.account, i.event_id, i.receipt
), woken as (
  select pg_notify('${ARRIVAL_CHANNEL}', '') where exists (select from stored where receipt <> 'duplicate')
)
select stored.*, (select count(*) from woken) as woken from stored
`;
