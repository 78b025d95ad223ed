import picocolors from 'picocolors';

/** Where a command writes, and what it may assume of the reader. */
export interface Terminal {
  /** One line on stdout. */
  line(text?: string): void;
  /** One line on stderr: progress and warnings. */
  note(text: string): void;
  readonly columns: number;
  readonly colours: Colours;
  readonly now: () => number;
}

/** The few styles the output uses; every one is the identity when colours are off. */
export type Colours = Pick<ReturnType<typeof picocolors.createColors>, 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'>;

/** Output that is piped is searched and cut by other programs: nothing in it is shortened. `COLUMNS` says otherwise. */
const pipedColumns = 1_000;

/** The terminal of this process. Colours only on a TTY, and never when `NO_COLOR` is set to anything. */
export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  const wantsColour = stdout.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  return {
    line: (text = '') => void stdout.write(`${text}\n`),
    note: (text) => void stderr.write(`${text}\n`),
    columns: Number(env['COLUMNS']) || (stdout.isTTY ? Math.min(Math.max(stdout.columns || 100, 80), 160) : pipedColumns),
    colours: picocolors.createColors(wantsColour),
    now: Date.now,
  };
}

/** C0, DEL, C1, and the marks that reorder text. */
const unprintable = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text from outside (a vendor's words, a customer's name) as one harmless line: escape sequences in it could otherwise
 * rewrite what the operator sees.
 */
export function printable(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(unprintable, '�').trim();
}
