import { z } from 'zod';
import { countVariable, loadConfig, portVariable, readVariables, textVariable, type Config, type Variable } from '../platform/config';
import { connectionOptions, type TemporalSettings } from '../platform/temporal-connection';

/** Configuration of a worker process; every wrong variable is named at once. */
export interface WorkerConfig extends Config {
  temporal: TemporalSettings;
  /** Prometheus metrics; 0 = any free port. */
  metricsPort: number;
  /** Where metrics listen; only this machine unless set. */
  metricsHost: string;
  /** Starts under way at a time. More only lengthens the queue inside Temporal. */
  startConcurrency: number;
  /** Runs without an outcome this long after their start are checked against Temporal, milliseconds. */
  lostCheckMs: number;
  /** Where budget alerts are posted. */
  alertWebhook: string | undefined;
}

const alertWebhookVariable: Variable<string | undefined> = {
  name: 'SYNCLINE_ALERT_WEBHOOK_URL',
  schema: z.url({ protocol: /^https?$/ }).optional(),
  expected: 'an address that takes JSON by POST, e.g. https://hooks.example.com/budgets; nothing is posted when unset',
  // Such addresses often hold a token.
  secret: true,
};

export function loadWorkerConfig(): WorkerConfig {
  const values = readVariables({
    metricsPort: portVariable('SYNCLINE_METRICS_PORT', 9464),
    metricsHost: textVariable('SYNCLINE_METRICS_HOST', '127.0.0.1'),
    startConcurrency: countVariable('SYNCLINE_START_CONCURRENCY', 40),
    lostCheckMs: countVariable('SYNCLINE_LOST_CHECK_MS', 60_000),
    alertWebhook: alertWebhookVariable,
  });
  return { ...loadConfig(), temporal: connectionOptions(), ...values };
}
