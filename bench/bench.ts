import os from 'node:os';
import type { Setting } from './setting';

/** One figure of a bench, as `--json` prints it (docs: design "Fixed names"). */
export interface Result {
  metric: string;
  value: number;
  unit: string;
  /** The same figure of the other side, measured in the same run; null when there is no other side. */
  against: number | null;
  /** `value / against`. */
  ratio: number | null;
  /** What the ratio should be, e.g. `>= 1`; null when the figure only informs. */
  aim: string | null;
  met: boolean | null;
}

/** An option of a bench: `--<name> <value>`. */
export interface BenchOption {
  default: string;
  help: string;
}

/** What a bench gets. */
export interface BenchContext {
  setting: Setting;
  /** Progress, to stderr. */
  log: (line: string) => void;
  /** Value of an option. */
  option: (name: string) => string;
  /** The same as a number; throws when it is none. */
  count: (name: string) => number;
}

/** One bench of the registry in main.ts. */
export interface Bench {
  name: string;
  summary: string;
  options: Record<string, BenchOption>;
  run(context: BenchContext): Promise<Result[]>;
}

/** The command line is wrong: told in its words, without a stack. */
export class UsageError extends Error {}

/** Runs those that `--scenarios` names, one after the other. */
export async function runScenarios(
  context: BenchContext,
  scenarios: Readonly<Record<string, (context: BenchContext) => Promise<Result[]>>>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const name of context.option('scenarios').split(',')) {
    const scenario = scenarios[name];
    if (!scenario) throw new UsageError(`--scenarios names "${name}"; expected some of ${Object.keys(scenarios).join(', ')}`);
    results.push(...(await scenario(context)));
    context.log(`${name}: done (load ${os.loadavg()[0]?.toFixed(1)})`);
  }
  return results;
}

/** What a ratio should be. */
export interface Aim {
  atLeast?: number;
  atMost?: number;
}

/** A figure beside that of the other side; numbers are rounded for reading, the verdict is not. */
export function compared(metric: string, unit: string, value: number, against: number, aim?: Aim): Result {
  const ratio = against === 0 ? NaN : value / against;
  const words = aim?.atLeast !== undefined ? `>= ${aim.atLeast}` : aim?.atMost !== undefined ? `<= ${aim.atMost}` : null;
  const met = words === null ? null : ratio >= (aim?.atLeast ?? -Infinity) && ratio <= (aim?.atMost ?? Infinity);
  return { metric, value: rounded(value), unit, against: rounded(against), ratio: Number.isFinite(ratio) ? rounded(ratio) : null, aim: words, met };
}

/** A figure without another side. */
export function informing(metric: string, unit: string, value: number): Result {
  return { metric, value: rounded(value), unit, against: null, ratio: null, aim: null, met: null };
}

function rounded(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value * 10) / 10 : Number(value.toPrecision(3));
}
