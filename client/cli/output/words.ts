import type { RunLine } from '../../../ledger/port';
import { isFailedOutcome, type Outcome } from '../../../schemas/outcome';
import type { Colours } from '../terminal';

/** What codes mean, for those whose cause is not in the row. The vendor's own codes come with a cause of their own. */
const meanings: Readonly<Record<string, string>> = {
  CONTRACT_VIOLATION: 'the event does not fit its contract',
  TARGET_VIOLATION: 'the mapping made something the destination does not take',
  MAPPING_ERROR: 'the mapping threw an error',
  RECORD_TOO_LARGE: 'the mapped record is larger than the vendor takes',
  SKIPPED_BY_MAPPING: 'the mapping left it out',
  RUN_LOST: 'the run ended without an outcome (terminated, or its history is gone)',
  CANCELLED: 'cancelled by an operator',
  EXPIRED: 'held longer than the sync allows',
  ATTEMPTS_USED_UP: 'every attempt failed',
  RATE_LIMITED: 'the vendor refused: too many calls',
  UNAVAILABLE: 'the vendor did not answer, or answered with a server error',
  UNKNOWN: 'the vendor answered something its connector does not know',
  AUTH: 'the vendor did not accept the credentials',
  INVALID: 'the vendor refused the record',
  NOT_FOUND: 'the vendor does not know what the call named',
  CONFLICT: 'the vendor has something that contradicts the record',
  TOO_LARGE: 'the vendor found the call too large',
};

/** A cause in plain words: the row's own, else what its code means. */
export function causeInWords(row: { code?: string | null; cause?: string | null }): string {
  if (row.cause) return row.cause;
  return row.code ? (meanings[row.code] ?? row.code) : '';
}

/** The state of a row: what a later look found, else its outcome, else how far it came. */
export function stateOf(line: Pick<RunLine, 'outcome' | 'finding' | 'state'>): string {
  if (line.finding) return line.finding;
  if (line.outcome) return line.outcome;
  return line.state === 'started' ? 'running' : 'waiting';
}

/** Green landed, red failed, yellow open; everything else stays quiet. */
export function outcomeColour(colours: Colours, outcome: string): (text: string) => string {
  if (outcome === 'accepted' || outcome === 'verified') return colours.green;
  if (outcome === 'open' || outcome === 'running' || outcome === 'waiting' || outcome === 'held') return colours.yellow;
  if (isFailedOutcome(outcome as Outcome) || outcome === 'missing' || outcome === 'drifted') return colours.red;
  return (text) => text;
}

/** `1 record`, `3 records` */
export function counted(count: number, word: string, plural = `${word}s`): string {
  return `${count} ${count === 1 ? word : plural}`;
}

/** A word of a command line, quoted for the shell when it needs to be. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-][\w@%+=:,./~-]*$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
