import type { WarehouseEngine } from '../../schemas/table';
import { runWorker } from '../../workers/run-worker';
import { testAudiences } from './audience-syncs';

/** A worker of the audience pushes. */
runWorker({ syncs: [], tableSyncs: Object.values(testAudiences(process.env['TABLE_ENGINE'] as WarehouseEngine)) });
