import { runWorker } from '../../workers/run-worker';
import { narrowSyncs, type Narrow } from './narrow-syncs';

/** A worker of the syncs with narrow windows. */
runWorker({ syncs: Object.values(narrowSyncs(JSON.parse(process.env['NARROW'] ?? '{}') as Narrow)) });
