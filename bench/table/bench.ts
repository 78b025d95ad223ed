import os from 'node:os';
import type { Bench, BenchContext, Result } from '../bench';
import { rows } from './rows';

const scenarios = { rows } as const;

/** Reverse ETL end to end: a PostgreSQL warehouse, our worker as a process, HubSpot's simulator. */
export const table: Bench = {
  name: 'table',
  summary: 'rows of a warehouse to a vendor: rows per second against a plain script',
  options: {
    scenarios: { default: Object.keys(scenarios).join(','), help: 'which of them' },
    rows: { default: '20000', help: 'rows of a round' },
    rounds: { default: '2', help: 'rounds of each side, alternating' },
  },
  async run(context) {
    const results: Result[] = [];
    for (const name of context.option('scenarios').split(',')) {
      const scenario = scenarios[name as keyof typeof scenarios] as ((context: BenchContext) => Promise<Result[]>) | undefined;
      if (!scenario) throw new Error(`--scenarios names "${name}"; expected some of ${Object.keys(scenarios).join(', ')}`);
      results.push(...(await scenario(context)));
      context.log(`${name}: done (load ${os.loadavg()[0]?.toFixed(1)})`);
    }
    return results;
  },
};
