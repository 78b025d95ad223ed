import { runScenarios, type Bench, type BenchContext } from '../bench';
import { burst } from './burst';
import { cost } from './cost';
import { foreign, killed, live, queueLimit, utilisation } from './scenarios';

const scenarios = {
  window: (context: BenchContext) => utilisation(context, { windowMs: 10_000, atLeast: 0.99 }),
  second: (context: BenchContext) => utilisation(context, { windowMs: 1_000, atLeast: 0.94 }),
  live,
  foreign,
  kill: killed,
  queue: queueLimit,
  burst,
  cost,
} as const;

/** The durable budget against a strict vendor: processes that want to call without end, 100 calls per window. */
export const budget: Bench = {
  name: 'budget',
  summary: 'share of a vendor’s limit that is used, calls over it, live beside bulk, a killed worker, bursts, cost; against simpler limiters',
  options: {
    scenarios: { default: Object.keys(scenarios).join(','), help: 'which of them' },
    workers: { default: '1,2,4', help: 'processes that share the budget' },
    seconds: { default: '40', help: 'measured, after warming up' },
    warmup: { default: '20', help: 'seconds before anything counts' },
  },
  run: (context) => runScenarios(context, scenarios),
};
