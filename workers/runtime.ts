import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { Logger } from 'pino';
import { ConfigError } from '../platform/config';
import { freePort } from '../platform/free-port';

/** Temporal's runtime of this process: logs through ours, metrics for Prometheus. Call it before anything else of the SDK. */
export async function installRuntime(options: { log: Logger; metricsHost: string; metricsPort: number }): Promise<{ metricsPort: number }> {
  const metricsPort = options.metricsPort === 0 ? await freePort() : options.metricsPort;
  const log = options.log.child({ component: 'temporal' });
  try {
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
  } catch (error) {
    throw metricsProblem(error, `${options.metricsHost}:${metricsPort}`) ?? error;
  }
  return { metricsPort };
}

/** Another program has the port, most often another worker: whoever started this one has to choose. */
function metricsProblem(error: unknown, address: string): ConfigError | null {
  const why = /prometheus metrics exporter: (.*)/.exec(String(error))?.[1];
  if (why === undefined) return null;
  const who = /in use/i.test(why) ? ' (by another worker?)' : '';
  return new ConfigError([`SYNCLINE_METRICS_PORT: metrics can’t be served at ${address}: ${why}${who}; set another port, or 0 for any free one`]);
}
