import type { WorkflowExecutionStatusName } from '@temporalio/client';
import type { Candidate } from './candidates';

/** Why an event is not replayed: a sentence for its line; null = it may be. */
export type Refusal = string | null;

/**
 * Whether an event may be replayed. Failed ones may; one that landed only when the operator says so, since the vendor's
 * data would be written again; a running one never.
 *
 * @param status what Temporal says of the newest run; null = it has none
 */
export function refusalOf({ line }: Pick<Candidate, 'line'>, status: WorkflowExecutionStatusName | null, options: { resend: boolean }): Refusal {
  if (status === 'RUNNING' || status === 'CONTINUED_AS_NEW') return 'still running; `trace` shows what it waits for';
  if (status === 'PAUSED') return 'its run is paused by an operator; unpause it instead';
  if (!line) return line === null && status === null ? 'unknown: neither the ledger nor Temporal has it' : closedUnbooked(status, options);
  if (line.state === 'new' || line.state === 'claimed') return 'not started yet; it will be, by the next free worker';
  switch (line.outcome) {
    case 'accepted':
    case 'verified':
      if (line.finding || options.resend) return null;
      return `landed (${line.outcome}); add --resend to write it again`;
    case 'superseded':
      return 'a newer version of the record landed; an older one is never written over it';
    default:
      return null;
  }
}

/** The ledger does not know it (it was reset, or is another one): Temporal's word has to do. */
function closedUnbooked(status: WorkflowExecutionStatusName | null, { resend }: { resend: boolean }): Refusal {
  return status === 'COMPLETED' && !resend ? 'it completed; add --resend to write it again' : null;
}
