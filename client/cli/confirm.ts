import { createInterface } from 'node:readline/promises';

/** Asks on the terminal; without one (a script, a pipe, `--json`) nobody can agree: false. */
export async function confirm(question: string, scripted: boolean): Promise<boolean> {
  if (scripted || process.stdin.isTTY !== true || process.stderr.isTTY !== true) return false;
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await prompt.question(`${question} [y/N] `)).trim());
  } finally {
    prompt.close();
  }
}
