import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Connection } from '@temporalio/client';
import { prepareNamespace } from '../../client/sandbox/namespace';
import { freePort } from '../../platform/free-port';
import { findTemporalBinary } from '../../client/sandbox/temporal-binary';
import { startTemporal, type TemporalServer } from '../../client/sandbox/temporal-server';

/** A Temporal server of the test's own that keeps everything in a file: it may be killed and comes back as it was. */
export interface OwnTemporal {
  readonly address: string;
  readonly namespace: string;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** The same file and port. */
  restart(): Promise<void>;
  /** Ends it and removes the file. */
  stop(): Promise<void>;
}

export async function startOwnTemporal(name: string): Promise<OwnTemporal> {
  const log = (line: string) => void (process.env.SYNCLINE_TEST_LOG && process.stderr.write(`${line}\n`));
  const folder = await mkdtemp(path.join(os.tmpdir(), `syncline-${name}-`));
  await chmod(folder, 0o755);
  const options = { binary: await findTemporalBinary({ log }), port: await freePort(), dbFile: path.join(folder, 'temporal.db'), log };
  let server: TemporalServer | undefined;
  let stopped = false;
  const stop = async () => {
    stopped = true;
    await server?.kill();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    server = await startTemporal(options);
    const connection = await Connection.connect({ address: server.address });
    await prepareNamespace(connection, { namespace: name }).finally(() => connection.close());
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    address: server.address,
    namespace: name,
    async kill() {
      await server?.kill();
      server = undefined;
    },
    async restart() {
      if (stopped) return; // the test failed meanwhile
      server = await startTemporal(options);
      if (stopped) await stop();
    },
    stop,
  };
}
