import { maskText } from '../../connectors/mask';
import type { PlanCounts } from '../../schemas/table';
import type { TableSync } from '../../syncs/define-table-sync';
import type { Warehouse } from '../../warehouse/port';

/** Names that are told of those that are none. */
const mostNames = 5;

/** Rows of `suppression` that name no audience declared: whoever wrote them believes that somebody is kept out, and nobody is. */
export async function suppressingNobody(
  warehouse: Pick<Warehouse, 'suppressions'>,
  syncs: ReadonlyMap<string, Pick<TableSync, 'membership'>>,
): Promise<Pick<PlanCounts, 'suppressNobody'>> {
  const astray = (await warehouse.suppressions()).filter(({ syncId }) => syncs.get(syncId)?.membership !== true);
  if (astray.length === 0) return {};
  const rows = astray.reduce((sum, one) => sum + one.rows, 0);
  // People write them: an address may have got into the wrong column.
  const names = astray
    .slice(0, mostNames)
    .map(({ syncId }) => maskText(syncId, { fields: /^[a-z0-9-]{1,64}$/.test(syncId) && /[a-z]/.test(syncId) ? [syncId] : [] }));
  return { suppressNobody: { rows, syncs: names } };
}
