import type { Database } from './database';
import type { Ledger } from './port';

/** Rows of one delete: short transactions, so that nothing waits for a night's cleaning. */
const BATCH = 5_000;

/** Retention: closed rows go, the fence stays, since it must remember what landed for as long as anything may be replayed. */
export function createPrune(db: Database): Ledger['prune'] {
  return async ({ olderThanMs, failedOlderThanMs }) => {
    for (let pruned = 0; ;) {
      const [row] = await db.run<{ count: number }>({ name: 'prune', text: pruneSql, values: [olderThanMs, failedOlderThanMs ?? null, BATCH] });
      pruned += row?.count ?? 0;
      if ((row?.count ?? 0) < BATCH) return pruned;
    }
  };
}

const pruneSql = /* sql */ `
with old as (
  select id from syncline.inbox
  where state = 'closed' and (
    (body is null and closed_at < now() - $1::float8 * interval '1 millisecond')
    or closed_at < now() - $2::float8 * interval '1 millisecond')
  limit $3::int for update skip locked
), gone as (
  delete from syncline.inbox i using old where i.id = old.id returning 1
)
select count(*)::int as count from gone
`;
