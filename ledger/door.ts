import { type Database, text } from './database';
import { GroupCommit } from './group-commit';
import type { Inbox } from './port';

type Count = Parameters<Inbox['countAtDoor']>[0];

const WRITE_TIMEOUT_MS = 2_000;

/** Counts what never becomes a row, for good: calls that come in together share a commit. */
export class DoorCounter {
  private readonly commits: GroupCommit<Count, void>;

  constructor(private readonly db: Database) {
    this.commits = new GroupCommit((counts) => this.write(counts), {
      maxItems: 1_000,
      maxBytes: Infinity,
      maxInFlight: 1, // all of them write the same few rows
      timeoutMs: WRITE_TIMEOUT_MS,
      bytes: () => 0,
      isItemsFault: () => false,
    });
  }

  count(count: Count): Promise<void> {
    return this.commits.submit(count);
  }

  private async write(counts: Count[]): Promise<void[]> {
    await this.db.run({ name: 'count-at-door', text: countSql, values: [JSON.stringify(sums(counts))], timeoutMs: WRITE_TIMEOUT_MS });
    return counts.map(() => undefined);
  }
}

/** One row for each place and reason, in an order that all gateways share: no deadlocks. */
function sums(counts: Count[]): { syncId: string; source: string; account: string; reason: string; events: number }[] {
  const rows = new Map<string, { syncId: string; source: string; account: string; reason: string; events: number }>();
  for (const { syncId, source, account, reason, events } of counts) {
    const row = { syncId: text(syncId ?? ''), source: text(source), account: text(account), reason: text(reason), events: 0 };
    const key = JSON.stringify([row.syncId, row.source, row.account, row.reason]);
    const sum = rows.get(key) ?? row;
    rows.set(key, { ...sum, events: sum.events + events });
  }
  return [...rows.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

const countSql = /* sql */ `
insert into syncline.door as d (sync_id, source, account, reason, count, last_at)
select "syncId", source, account, reason, events, now()
from json_to_recordset($1::json) as t("syncId" text, source text, account text, reason text, events bigint)
on conflict (sync_id, source, account, reason) do update set count = d.count + excluded.count, last_at = excluded.last_at
`;
