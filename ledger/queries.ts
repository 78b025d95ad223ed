import { text, type Database } from './database';
import type { BodyCodec } from './body';
import { type EventColumns, eventColumns, toSourceEvent } from './events';
import { filterSql } from './filter';
import type { DoorCount, Funnel, Queries, RunLine } from './port';
import type { FindingOutcome, TerminalOutcome } from '../schemas/outcome';

/** Lists and counts for operators. */
export function createQueries(db: Database, codec: BodyCodec): Queries {
  return {
    async runs(filter) {
      const { where, values } = filterSql(filter);
      const limit = values.push(filter.limit);
      // By id, which is the order of arrival: the newest are found without sorting. But for the few rows of a key or an id
      // the planner must not be tempted to walk all rows in that order, as it is when it takes them for many.
      const few = filter.keyHmacs !== undefined || filter.id !== undefined;
      const source = few ? `(select * from syncline.inbox where ${where} offset 0) as found` : `syncline.inbox where ${where}`;
      const sql = `select ${lineColumns} from ${source} order by id desc limit $${limit}`;
      return (await db.run<LineRow>({ text: sql, values })).map(toLine);
    },

    async counts(filter) {
      const { where, values } = filterSql(filter);
      const sql = `select coalesce(outcome, 'open') as outcome, code, count(*)::float8 as count from syncline.inbox where ${where}
        group by 1, 2 order by 3 desc, 1, 2`;
      return db.run<{ outcome: TerminalOutcome | 'open'; code: string | null; count: number }>({ text: sql, values });
    },

    async funnel() {
      return toFunnels(await db.run<FunnelRow>({ name: 'funnel', text: funnelSql, values: [] }));
    },

    async door() {
      return db.run<DoorCount>({ name: 'door', text: doorSql, values: [] });
    },

    async event(workflowId) {
      const [row] = await db.run<EventColumns>({ name: 'event', text: eventSql, values: [text(workflowId)] });
      return row?.body ? toSourceEvent(codec, { ...row, body: row.body }) : null;
    },

    async landed(keyHmacs) {
      const rows = await db.run<LandedRow>({ name: 'landed', text: landedSql, values: [keyHmacs] });
      return rows.map(({ version_at, version_arrival, ...row }) => ({
        ...row,
        version: { at: Number(version_at), arrival: Number(version_arrival) },
      }));
    },
  };
}

const utc = (column: string) => `to_char(${column} at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const lineColumns = /* sql */ `sync_id, source, account, event_id, topic, workflow_id, ${utc('received_at')} as received_at, state,
  outcome, finding, code, cause, attempts, duplicates, fallback, body is not null as has_body, ${utc('closed_at')} as closed_at`;

interface LineRow {
  sync_id: string;
  source: string;
  account: string;
  event_id: string;
  topic: string;
  workflow_id: string;
  received_at: string;
  state: RunLine['state'];
  outcome: TerminalOutcome | null;
  finding: FindingOutcome | null;
  code: string | null;
  cause: string | null;
  attempts: number;
  duplicates: number;
  fallback: boolean;
  has_body: boolean;
  closed_at: string | null;
}

function toLine(row: LineRow): RunLine {
  const { sync_id, event_id, workflow_id, received_at, has_body, closed_at, ...rest } = row;
  return { ...rest, syncId: sync_id, eventId: event_id, workflowId: workflow_id, receivedAt: received_at, hasBody: has_body, closedAt: closed_at };
}

/** One count of the funnel: of an outcome with its code, of an open state, of a finding, or of duplicates. */
interface FunnelRow {
  sync_id: string;
  kind: 'outcome' | 'state' | 'finding' | 'duplicates';
  name: string | null;
  code: string | null;
  count: number;
}

// Each part reads one index and no rows; `outcome is null` is left to the small index of open rows.
const funnelSql = /* sql */ `
select sync_id, 'outcome' as kind, outcome as name, code, count(*)::float8 as count
from syncline.inbox where outcome is not null group by sync_id, outcome, code
union all
select sync_id, 'state', state, null, count(*) from syncline.inbox where state <> 'closed' group by sync_id, state
union all
select sync_id, 'finding', finding, null, count(*) from syncline.inbox where finding is not null group by sync_id, finding
union all
select sync_id, 'duplicates', null, null, sum(duplicates) from syncline.inbox where duplicates > 0 group by sync_id
order by sync_id, count desc
`;

function toFunnels(rows: FunnelRow[]): Funnel[] {
  const funnels = new Map<string, Funnel>();
  for (const { sync_id: syncId, kind, name, code, count } of rows) {
    const funnel = funnels.get(syncId) ?? { syncId, received: 0, duplicates: 0, waitingToStart: 0, running: 0, outcomes: {}, findings: {}, causes: [] };
    funnels.set(syncId, funnel);
    if (kind === 'duplicates') funnel.duplicates = count;
    if (kind === 'finding') funnel.findings[name as FindingOutcome] = count;
    if (kind === 'state') funnel[name === 'started' ? 'running' : 'waitingToStart'] += count;
    if (kind === 'outcome') {
      const outcome = name as TerminalOutcome;
      funnel.outcomes[outcome] = (funnel.outcomes[outcome] ?? 0) + count;
      if (code !== null && outcome !== 'accepted' && outcome !== 'verified') funnel.causes.push({ outcome, code, count });
    }
    if (kind === 'state' || kind === 'outcome') funnel.received += count;
  }
  return [...funnels.values()];
}

const doorSql = /* sql */ `
select nullif(sync_id, '') as "syncId", source, account, reason, count::float8 as count from syncline.door order by count desc
`;

const eventSql = /* sql */ `
select ${eventColumns} from syncline.inbox where workflow_id = $1 order by body is null, id limit 1
`;

interface LandedRow {
  syncId: string;
  vendor: string;
  account: string;
  object: string;
  version_at: string;
  version_arrival: string;
  mapVersion: number;
  vendorId: string | null;
  landedAt: string | null;
}

const landedSql = /* sql */ `
select sync_id as "syncId", vendor, account, object, version_at, version_arrival, map_version as "mapVersion",
  vendor_id as "vendorId", ${utc('landed_at')} as "landedAt"
from syncline.fence where key_hmac = any($1::text[]) and fields is not null order by landed_at desc
`;
