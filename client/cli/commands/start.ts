import type { Answer, CliContext } from '../context';
import { startConnected } from './start-connected';
import { startLive } from './start-live';
import { startOnce } from './start-once';

export interface StartOptions {
  once?: boolean;
  /** False with `--no-samples`. */
  samples?: boolean;
  /** Ordinary events per second after the samples. */
  rate?: number;
  json?: boolean;
}

/**
 * `syncline start` (`npm start`): a sandbox with everything in it; with `--once` its samples to their end on fresh state;
 * with `TEMPORAL_ADDRESS` gateway and worker against a Temporal of the user's.
 */
export function start(context: CliContext, options: StartOptions): Promise<Answer> {
  if (options.once) return startOnce(context, options);
  return context.env['TEMPORAL_ADDRESS'] ? startConnected(context, options) : startLive(context, options);
}
