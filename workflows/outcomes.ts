import type { TerminalOutcome } from '../schemas/outcome';

/** How each terminal outcome ends a run of one record: `true` = Failed. */
const failed: Record<TerminalOutcome, boolean> = {
  verified: false,
  accepted: false,
  skipped: false,
  superseded: false,
  rejected: true,
  invalid: true,
  expired: true,
  failed: true,
};

/** Whether a person must act on this outcome. */
export function isFailure(outcome: TerminalOutcome): boolean {
  return failed[outcome];
}
