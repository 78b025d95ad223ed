/** What a command's exit code says. */
export const exitCodes = {
  /** The command did what it was asked. */
  ok: 0,
  /** It did, and the answer is bad news. */
  badNews: 1,
  /** It was asked for something it does not know. */
  usage: 2,
  /** Temporal or the database did not answer. */
  unreachable: 3,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What an error message must say. Personal data and secrets belong in none of it. */
export interface CliErrorFacts {
  exitCode: ExitCode;
  /** What went wrong, one sentence without full stop. */
  what: string;
  /** Where: a command and argument, a variable, an address. */
  where?: string;
  /** What would have been right. */
  expected?: string;
  /** What to do about it. */
  next?: string;
}

/** An error the operator can act on: printed without a stack trace. */
export class CliError extends Error {
  override readonly name = 'CliError';

  constructor(readonly facts: CliErrorFacts) {
    super(facts.what);
  }

  get exitCode(): ExitCode {
    return this.facts.exitCode;
  }

  /** The message as lines for a terminal. */
  lines(): string[] {
    const { what, where, expected, next } = this.facts;
    return [
      `error: ${what}`,
      ...(where ? [`  where:    ${where}`] : []),
      ...(expected ? [`  expected: ${expected}`] : []),
      ...(next ? [`  next:     ${next}`] : []),
    ];
  }
}

/** Shorthand for a wrong argument. */
export function usageError(what: string, facts: Omit<CliErrorFacts, 'what' | 'exitCode'> = {}): CliError {
  return new CliError({ exitCode: exitCodes.usage, what, ...facts });
}
