import type { WarehouseEngine } from '../../schemas/table';
import { runWorker } from '../../workers/run-worker';
import { testJobSyncs } from './job-syncs';

/** A worker of the table syncs whose vendors take rows as jobs. */
runWorker({ syncs: [], tableSyncs: Object.values(testJobSyncs(process.env['TABLE_ENGINE'] as WarehouseEngine)) });
