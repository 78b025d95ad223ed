import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { Logger } from 'pino';
import { freePort } from '../platform/free-port';

/** Temporal's runtime of this process: logs through ours, metrics for Prometheus. Call it before anything else of the SDK. */
export async function installRuntime(options: { log: Logger; metricsHost: string; metricsPort: number }): Promise<{ metricsPort: number }> {
  const metricsPort = options.metricsPort === 0 ? await freePort() : options.metricsPort;
  const log = options.log.child({ component: 'temporal' });
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      if (message.startsWith('No workflows registered')) return; // vendor queues carry activities only: meant so
      const write = level === 'ERROR' ? log.error : log.warn;
      write.call(log, meta ?? {}, message);
    }),
    // Ours: the order of stopping matters (starter first), and a signal handled twice drains nothing.
    shutdownSignals: [],
    telemetryOptions: {
      logging: { filter: 'WARN', forward: {} },
      metrics: {
        prometheus: { bindAddress: `${options.metricsHost}:${metricsPort}`, countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true },
      },
    },
  });
  return { metricsPort };
}
