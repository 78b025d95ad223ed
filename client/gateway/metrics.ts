import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ReceiverMetrics } from '../receiver/metrics';
import type { Surroundings } from './monitor';

export interface GatewayMetrics {
  receiver: ReceiverMetrics;
  surroundings(now: Surroundings): void;
  contentType: string;
  /** In Prometheus' text format. */
  render(): Promise<string>;
}

/** Up to the three seconds of the promise; providers give up after 3 to 30 s. */
const answerBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5];

/** Labels come from the registry of syncs and from our own codes, never from a request: their number is bounded. */
export function createGatewayMetrics(): GatewayMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const answers = new Counter({
    name: 'syncline_gateway_answers_total',
    help: 'Deliveries answered, by HTTP status, code and source.',
    labelNames: ['status', 'code', 'source'] as const,
    registers,
  });
  const seconds = new Histogram({
    name: 'syncline_gateway_answer_seconds',
    help: 'From the request head to the answer, the arrival of the body included.',
    labelNames: ['source'] as const,
    buckets: answerBuckets,
    registers,
  });
  const events = new Counter({
    name: 'syncline_gateway_events_total',
    help: 'Events of accepted deliveries, by sync and receipt: new, duplicate, rearmed or ignored.',
    labelNames: ['sync', 'receipt'] as const,
    registers,
  });
  const inFlight = new Gauge({
    name: 'syncline_gateway_in_flight',
    help: 'Deliveries being verified and committed.',
    registers,
  });
  const late = new Counter({
    name: 'syncline_gateway_late_inserts_total',
    help: 'Inserts that ended after their delivery had been answered with 503.',
    labelNames: ['committed'] as const,
    registers,
  });
  const backlogRows = new Gauge({ name: 'syncline_inbox_backlog_rows', help: 'Events waiting to start.', registers });
  const backlogAge = new Gauge({
    name: 'syncline_inbox_backlog_age_seconds',
    help: 'Age of the oldest of them.',
    registers,
  });
  const up = new Gauge({
    name: 'syncline_gateway_up',
    help: '1 when the part answers: database (deliveries need it), temporal (they do not).',
    labelNames: ['part'] as const,
    registers,
  });

  return {
    receiver: {
      answered: (answer) => {
        answers.inc({ status: answer.status, code: answer.code, source: answer.source });
        seconds.observe({ source: answer.source }, answer.seconds);
      },
      events: ({ syncId, receipt, count }) => events.inc({ sync: syncId, receipt }, count),
      inFlight: (count) => inFlight.set(count),
      late: ({ committed }) => late.inc({ committed: String(committed) }),
    },
    surroundings: ({ database, temporal, backlog }) => {
      up.set({ part: 'database' }, database === 'up' ? 1 : 0);
      up.set({ part: 'temporal' }, temporal === 'up' ? 1 : 0);
      if (!backlog) return;
      backlogRows.set(backlog.rows);
      backlogAge.set(backlog.oldestAgeMs / 1000);
    },
    contentType: registry.contentType,
    render: () => registry.metrics(),
  };
}
