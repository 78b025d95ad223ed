import type { RunLine, Queries } from '../../ledger/port';
import { compareVersions, type Version } from '../../schemas/event';
import type { WorkflowTrace } from '../history/fetch-trace';
import type { CliContext } from './context';

/** What stands at the vendor for the record, seen from this event. */
export interface FenceState {
  vendor: string;
  account: string;
  object: string;
  /** `this`: this event's version landed; `newer`, `older`: another one did; `none`: nothing has. */
  landed: 'this' | 'newer' | 'older' | 'none' | 'unknown';
  version: Version;
  mapVersion: number;
  vendorId: string | null;
  landedAt: string | null;
}

/** Fence rows of the record an event is about: by the key its run mapped, else by what the operator typed. */
export async function fenceStates(context: CliContext, id: string, line: RunLine | null, trace: WorkflowTrace | null): Promise<FenceState[]> {
  const mapped = trace?.runs.flatMap((run) => run.steps).findLast((step) => step.kind === 'mapped');
  const syncId = line?.syncId ?? trace?.runs.at(-1)?.plan?.syncId;
  const hmacs = new Set([...(mapped ? [mapped.keyHmac, ...context.keyHmacs(mapped.key)] : []), ...(mapped ? [] : context.keyHmacs(id))]);
  const { queries } = await context.ledger();
  const rows = await queries.landed([...hmacs]);
  return rows.filter((row) => row.syncId === syncId).map((row) => stateOf(row, mapped?.version ?? null));
}

function stateOf(row: Awaited<ReturnType<Queries['landed']>>[number], own: Version | null): FenceState {
  const { vendor, account, object, version, mapVersion, vendorId, landedAt } = row;
  return { vendor, account, object, version, mapVersion, vendorId, landedAt, landed: landedWord(row, own) };
}

function landedWord(row: { version: Version; landedAt: string | null }, own: Version | null): FenceState['landed'] {
  if (row.landedAt === null) return 'none';
  if (!own) return 'unknown';
  const order = compareVersions(row.version, own);
  return order === 0 ? 'this' : order > 0 ? 'newer' : 'older';
}
