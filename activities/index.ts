import type { ActivityDeps } from './deps';
import { createDeliver } from './deliver';
import { Deliveries } from './delivery/deliveries';
import { createEnrich } from './enrich';
import { createPrepare } from './prepare';
import { createRecordOutcome } from './record-outcome';
import { createTableActivities } from './table';

/** All activities of a worker, as a closure over what they reach the world with. */
export function createActivities(deps: ActivityDeps) {
  const deliveries = new Deliveries(deps);
  return {
    enrich: createEnrich(deps),
    prepare: createPrepare(deps),
    ...createDeliver(deps, deliveries),
    recordOutcome: createRecordOutcome(deps),
    ...createTableActivities(deps),
  };
}

export type Activities = ReturnType<typeof createActivities>;
