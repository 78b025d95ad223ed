import type { NodeProcess } from '../../client/sandbox/processes';
import type { Sim } from './stack';
import { testJobSyncs } from './job-syncs';
import { startTableStage, type TableStage } from './table-stage';
import { testWarehouses } from './warehouses';

/** A {@link TableStage} whose worker knows the syncs to vendors with jobs. */
export interface JobStage extends Omit<TableStage, 'syncs'> {
  syncs: ReturnType<typeof testJobSyncs>;
  sims: Readonly<Record<string, Sim>>;
  killWorker(): Promise<void>;
  startWorker(): Promise<NodeProcess>;
}

export async function startJobStage(engine: 'postgres' | 'duckdb'): Promise<JobStage> {
  const stage = await startTableStage(
    testWarehouses.find((one) => one.engine === engine)!,
    {
      worker: 'test/support/job-worker.ts',
      vendors: { klaviyo: ['--limits', 'unlimited'], salesforce: ['--limits', 'unlimited'] },
      env: {
        SYNCLINE_KLAVIYO_MAIN_API_KEY: 'pk_sandbox',
        SYNCLINE_SALESFORCE_MAIN_CLIENT_ID: 'sandbox-client',
        SYNCLINE_SALESFORCE_MAIN_CLIENT_SECRET: 'sandbox-secret',
      },
    },
  );
  const { stack } = stage;
  return {
    ...stage,
    syncs: testJobSyncs(engine),
    sims: stack.sims,
    killWorker: () => stack.workers.at(-1)!.kill(),
    startWorker: () => stack.startWorker(),
  };
}
