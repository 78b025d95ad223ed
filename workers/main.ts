import { syncs, tableSyncs } from '../syncs';
import { runWorker } from './run-worker';

/** The worker process: `npx syncline worker`. */
runWorker({ syncs, tableSyncs });
