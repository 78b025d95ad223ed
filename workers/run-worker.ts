import { createLedger } from '../ledger';
import { createCodec } from '../platform/codec';
import { ConfigError } from '../platform/config';
import { createLog, printReady } from '../platform/logging';
import { TemporalConfigError } from '../platform/temporal-connection';
import { loadWorkerConfig } from './config';
import { installRuntime } from './runtime';
import { startWorker, type WorkerParts } from './worker';

/** What a worker process is told from outside; the rest stands in its environment. */
export type WorkerDeclarations = Pick<WorkerParts, 'syncs' | 'tableSyncs'>;

/** Runs this process as a worker of these syncs, until it is told to stop. */
export function runWorker(declarations: WorkerDeclarations): void {
  main(declarations).catch((error: unknown) => {
    if (error instanceof ConfigError || error instanceof TemporalConfigError) {
      process.stderr.write(`${error.message}\n`);
      process.exit(2);
    }
    createLog({ name: 'worker' }).fatal({ err: error }, 'the worker could not start');
    process.exit(3);
  });
}

async function main(declarations: WorkerDeclarations): Promise<void> {
  const config = loadWorkerConfig();
  const log = createLog({ name: 'worker', level: config.logLevel });
  const { metricsPort } = await installRuntime({ log, metricsHost: config.metricsHost, metricsPort: config.metricsPort });
  const ledger = createLedger({ connectionString: config.databaseUrl, codec: createCodec(config.codecKeys).bodies, log });
  await ledger.migrate();
  const worker = await startWorker({ config, ...declarations, ledger, log });
  printReady({ name: 'worker', port: metricsPort, url: `http://${config.metricsHost}:${metricsPort}/metrics` });

  let stopping = false;
  const stop = async (code: number): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await worker.stop();
    await ledger.close();
    process.exit(code);
  };
  // A second signal does not wait for the drain; claims and runs outlive it.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => (stopping ? process.exit(1) : void stop(0)));
  worker.done.catch((error: unknown) => {
    log.fatal({ err: error }, 'a worker died; the process ends so that it is started anew');
    void stop(1);
  });
}
