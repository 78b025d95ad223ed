import { ConfigError } from './config';
import type { Log } from './logging';
import { SecretError } from './secrets';
import { TemporalConfigError } from './temporal-connection';

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

/**
 * Runs a process's entry. What it can't start with is said in words, without a stack; exit code 2 when the configuration is
 * to blame, 1 otherwise.
 *
 * @param options.portVariable Named when the port is taken.
 */
export function runMain(main: () => Promise<void>, options: { portVariable?: string } = {}): void {
  main().catch((error: unknown) => {
    const { code, message, port } = error instanceof Error ? (error as NodeJS.ErrnoException & { port?: number }) : unknownError(error);
    const taken = code === 'EADDRINUSE' && options.portVariable !== undefined;
    const advice = `Port ${port} is in use. Set ${options.portVariable} to another port, or to 0 for any free one.`;
    process.stderr.write(`${taken ? advice : message}\n`);
    process.exit(taken || isConfigError(error) ? 2 : 1);
  });
}

function unknownError(error: unknown): { code?: string; message: string; port?: number } {
  return { message: String(error) };
}

function isConfigError(error: unknown): boolean {
  return error instanceof ConfigError || error instanceof TemporalConfigError || error instanceof SecretError;
}
