/** Process: our worker as `workers/main.ts` runs it, with the bench's table sync alone. */
import { runWorker } from '../../workers/run-worker';
import { peopleSync, type Limits } from './sync';

runWorker({ syncs: [], tableSyncs: [peopleSync(process.env['BENCH_TABLE_LIMITS'] as Limits)] });
