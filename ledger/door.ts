import { type Database, type LedgerLog, text } from './database';
import { GroupCommit } from './group-commit';
import type { Inbox } from './port';

type Count = Parameters<Inbox['countAtDoor']>[0];

/** How long counts that may be lost are gathered before they are written, ms. */
const GATHER_MS = 1_000;
const WRITE_TIMEOUT_MS = 2_000;

/** Counts what never becomes a row. Durable counts share commits; the others are gathered, and lost in a crash. */
export class DoorCounter {
  private gathered: Count[] = [];
  private timer: NodeJS.Timeout | undefined;
  private readonly commits: GroupCommit<Count[], void>;

  constructor(
    private readonly db: Database,
    private readonly log: LedgerLog,
  ) {
    this.commits = new GroupCommit((batches) => this.write(batches), {
      maxItems: 1_000,
      maxBytes: Infinity,
      maxInFlight: 1, // all of them write the same few rows
      timeoutMs: WRITE_TIMEOUT_MS,
      bytes: () => 0,
      isItemsFault: () => false,
    });
  }

  /** Resolves at once unless `durable`. */
  async count(count: Count): Promise<void> {
    if (count.durable) return this.commits.submit([count]);
    this.gathered = sum([...this.gathered, count]);
    this.timer ??= setTimeout(() => void this.flush(), GATHER_MS).unref();
  }

  /** Writes what was gathered; what could not be written is kept for the next time. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const counts = this.gathered;
    this.gathered = [];
    if (counts.length === 0) return;
    try {
      await this.commits.submit(counts);
    } catch (error) {
      this.log.warn({ err: error, counts: counts.length }, 'counts at the door could not be written yet');
      this.gathered = sum([...counts, ...this.gathered]);
    }
  }

  private async write(batches: Count[][]): Promise<void[]> {
    const rows = sum(batches.flat()).map((count) => ({ ...count, syncId: count.syncId ?? '' }));
    await this.db.run({ name: 'count-at-door', text: countSql, values: [JSON.stringify(rows)], timeoutMs: WRITE_TIMEOUT_MS });
    return batches.map(() => undefined);
  }
}

/** One count for each place and reason, in an order that all gateways share: no deadlocks. */
function sum(counts: Count[]): Count[] {
  const sums = new Map<string, Count>();
  for (const { syncId, source, account, reason, events } of counts) {
    const key = JSON.stringify([syncId, source, account, reason]);
    const before = sums.get(key)?.events ?? 0;
    sums.set(key, { syncId, source: text(source), account: text(account), reason: text(reason), events: before + events });
  }
  return [...sums.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, count]) => count);
}

const countSql = /* sql */ `
insert into syncline.door as d (sync_id, source, account, reason, count, last_at)
select "syncId", source, account, reason, events, now()
from json_to_recordset($1::json) as t("syncId" text, source text, account text, reason text, events bigint)
on conflict (sync_id, source, account, reason) do update set count = d.count + excluded.count, last_at = excluded.last_at
`;
