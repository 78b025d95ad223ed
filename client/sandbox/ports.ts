import { freePort, isFree } from '../../platform/free-port';
import { portUser } from './port-user';

/** A wanted port that is taken. The message names the variable that chooses another. */
export class PortInUseError extends Error {
  constructor(
    readonly port: number,
    readonly variable: string,
    name: string,
    user: string | undefined,
  ) {
    super(`Port ${port} (${name}) is in use${user ? ` by ${user}` : ''}. Set ${variable} to another port, or to 0 for any free one.`);
    this.name = 'PortInUseError';
  }
}

interface PortChoice {
  /** The environment variable that overrides the default, e.g. `TEMPORAL_PORT`. */
  env: string;
  default: number;
  /** What listens there, in a person's words. */
  name: string;
  /** @default process.env */
  environment?: Record<string, string | undefined>;
}

/** The port a service is to use: the variable's, else the default; 0 becomes a free one, a taken one is an error. */
export async function resolvePort(choice: PortChoice): Promise<number> {
  const { env, name, environment = process.env } = choice;
  const set = environment[env]?.trim();
  const wanted = set ? Number(set) : choice.default;
  if (!Number.isInteger(wanted) || wanted < 0 || wanted > 65_535) {
    throw new Error(`${env} is "${set}", which is not a port: give a number from 0 (any free one) to 65535.`);
  }
  if (wanted === 0) return freePort();
  if (await isFree(wanted)) return wanted;
  throw new PortInUseError(wanted, env, name, await portUser(wanted));
}
