import { runScenarios, type Bench } from '../bench';
import { diff } from './diff';
import { growth } from './growth';
import { quota } from './quota';
import { rows } from './rows';

const scenarios = { rows, diff, quota, growth } as const;

/** Reverse ETL end to end: a PostgreSQL warehouse, our worker as a process, HubSpot's simulator. */
export const table: Bench = {
  name: 'table',
  summary: 'rows of a warehouse to a vendor: against a plain script; a diff that finds nothing; under a quota; as runs grow',
  options: {
    scenarios: { default: Object.keys(scenarios).join(','), help: 'which of them' },
    rows: { default: '20000', help: 'rows of a round' },
    'diff-rows': { default: '1000000', help: 'rows of which none has changed' },
    'quota-rows': { default: '100000', help: 'rows under a quota of 100 calls in 10 s, 100 rows each' },
    'growth-rows': { default: '10000,100000', help: 'sizes that are compared with the first; 10000,100000,1000000 takes minutes more' },
    rounds: { default: '2', help: 'rounds of each side, alternating' },
  },
  run: (context) => runScenarios(context, scenarios),
};
