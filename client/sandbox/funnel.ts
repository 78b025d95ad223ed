import type { DoorCount, Funnel } from '../../ledger/port';
import type { TerminalOutcome } from '../../schemas/outcome';

/** A way out of the funnel: how many left by it, and why. */
export interface Exit {
  outcome: TerminalOutcome;
  code: string;
  count: number;
}

/** How far the events of one sync came: received ≥ valid ≥ mapped ≥ delivered, the rest left by an exit or is open. */
export interface FunnelLine {
  syncId: string;
  received: number;
  /** In the inbox or in a run, without an outcome yet. */
  open: number;
  valid: number;
  mapped: number;
  delivered: number;
  exits: Exit[];
}

/** Everything between the door and the vendor. */
export interface FunnelView {
  lines: FunnelLine[];
  total: FunnelLine;
  /** What never became an inbox row: redeliveries, ignored, refused. */
  door: { reason: string; count: number }[];
}

/** The codes with which an event that kept its contract leaves before anything is sent. */
const leftAtMapping: ReadonlySet<string> = new Set(['MAPPING_ERROR', 'TARGET_VIOLATION', 'RECORD_TOO_LARGE', 'SKIPPED_BY_MAPPING']);

/** The funnel out of the ledger's counts. */
export function funnelView(funnels: readonly Funnel[], doorCounts: readonly DoorCount[]): FunnelView {
  const lines = funnels.map(lineOf).sort((a, b) => a.syncId.localeCompare(b.syncId));
  const duplicates = funnels.reduce((sum, { duplicates: count }) => sum + count, 0);
  const reasons = new Map<string, number>(duplicates > 0 ? [['duplicate', duplicates]] : []);
  for (const { reason, count } of doorCounts) reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  return { lines, total: totalOf(lines), door: [...reasons].map(([reason, count]) => ({ reason, count })) };
}

function lineOf({ syncId, received, waitingToStart, running, outcomes, causes }: Funnel): FunnelLine {
  const delivered = (outcomes.accepted ?? 0) + (outcomes.verified ?? 0);
  const exits = exitsOf(outcomes, causes);
  const count = (leaves: (exit: Exit) => boolean) => exits.filter(leaves).reduce((sum, exit) => sum + exit.count, 0);
  const unmapped = count(({ outcome, code }) => outcome === 'skipped' || leftAtMapping.has(code));
  const afterMapping = count(({ outcome, code }) => !leftAtMapping.has(code) && outcome !== 'skipped' && outcome !== 'invalid');
  const mapped = delivered + afterMapping;
  return { syncId, received, open: waitingToStart + running, valid: mapped + unmapped, mapped, delivered, exits };
}

/** Outcomes other than delivered, with their codes; one without a code stands under its own name. */
function exitsOf(outcomes: Funnel['outcomes'], causes: Funnel['causes']): Exit[] {
  const left = Object.entries(outcomes).filter(([outcome]) => outcome !== 'accepted' && outcome !== 'verified') as [TerminalOutcome, number][];
  return left.flatMap(([outcome, count]) => {
    const known = causes.filter((cause) => cause.outcome === outcome);
    const rest = count - known.reduce((sum, cause) => sum + cause.count, 0);
    return rest > 0 ? [...known, { outcome, code: outcome.toUpperCase(), count: rest }] : known;
  });
}

function totalOf(lines: readonly FunnelLine[]): FunnelLine {
  const total: FunnelLine = { syncId: 'all', received: 0, open: 0, valid: 0, mapped: 0, delivered: 0, exits: [] };
  const exits = new Map<string, Exit>();
  for (const line of lines) {
    for (const field of ['received', 'open', 'valid', 'mapped', 'delivered'] as const) total[field] += line[field];
    for (const exit of line.exits) {
      const name = `${exit.outcome} ${exit.code}`;
      exits.set(name, { ...exit, count: exit.count + (exits.get(name)?.count ?? 0) });
    }
  }
  return { ...total, exits: [...exits.values()].sort((a, b) => b.count - a.count || a.code.localeCompare(b.code)) };
}
