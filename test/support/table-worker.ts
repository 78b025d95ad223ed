import type { WarehouseEngine } from '../../schemas/table';
import { runWorker } from '../../workers/run-worker';
import { testTableSyncs } from './table-syncs';

/** A worker of the test table syncs alone: `TABLE_ENGINE` says which warehouse. */
runWorker({ syncs: [], tableSyncs: Object.values(testTableSyncs(process.env['TABLE_ENGINE'] as WarehouseEngine)) });
