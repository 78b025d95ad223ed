import type { Log } from './logging';

/**
 * Runs `close` once on SIGTERM or SIGINT, then ends the process: 0 when it closed in order, 1 when it failed or took longer
 * than `timeoutMs`. A second signal ends it at once.
 */
export function closeOnSignal(log: Log, close: () => Promise<void>, timeoutMs = 10_000): void {
  let closing = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (closing) process.exit(1);
    closing = true;
    log.info({ signal }, 'closing');
    setTimeout(() => {
      log.error({ timeoutMs }, 'did not close in time');
      process.exit(1);
    }, timeoutMs).unref();
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'did not close in order');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

/** Runs a process's entry: what it can't start with is one line for a person and exit code 1, not a stack. */
export function runMain(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${message}\n`);
    process.exit(1);
  });
}
