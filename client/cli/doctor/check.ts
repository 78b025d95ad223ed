/** `unknown` can't be found out from here; it is no failure. */
export type CheckState = 'ok' | 'warn' | 'fail' | 'unknown';

/** One thing the doctor looked at. */
export interface Check {
  /** Heading it stands under. */
  group: string;
  name: string;
  state: CheckState;
  /** What was found. No secret, no value of one. */
  found: string;
  /** What to do about it; a command where there is one. */
  fix?: string;
}

/** Makes the checks of one group. */
export function checksOf(group: string) {
  const check =
    (state: CheckState) =>
    (name: string, found: string, fix?: string): Check => ({ group, name, state, found, ...(fix === undefined ? {} : { fix }) });
  return { ok: check('ok'), warn: check('warn'), fail: check('fail'), unknown: check('unknown') };
}

/** First line of an error, for `found`. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n')[0] ?? '';
}

/** Difference of two clocks from which versions and claims start to go by the wrong time. */
export const maxSkewMs = 2_000;
