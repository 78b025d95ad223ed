import { createServer } from 'node:net';
import { portUser } from './port-user';

/** Handed out by this process but perhaps not yet listened on: two services must not be given the same one. */
const handedOut = new Set<number>();

/** A port of 127.0.0.1 that nothing listens on now. Another program may still take it first: callers retry. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await listenBriefly(0, '127.0.0.1');
    if (handedOut.has(port)) continue;
    handedOut.add(port);
    return port;
  }
}

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

/** True when nothing listens on the port, on the loopback address or on all of them. */
export async function isFree(port: number): Promise<boolean> {
  for (const host of ['127.0.0.1', '::']) {
    try {
      await listenBriefly(port, host);
    } catch (error) {
      // A machine without IPv6 answers EAFNOSUPPORT or EADDRNOTAVAIL: nothing can be listening there.
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EADDRINUSE' || code === 'EACCES') return false;
    }
  }
  return true;
}

function listenBriefly(port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address ? address.port : port;
      server.close(() => resolve(bound));
    });
  });
}
