import type { WorkflowHandle } from '@temporalio/client';
import { decideRunUpdate } from '../../workflows/messages';
import type { NodeProcess } from '../../client/sandbox/processes';
import { joinAudience, joinUserList, testAudiences } from './audience-syncs';
import type { Sim } from './stack';
import { startTableStage, type TableStage } from './table-stage';
import { testWarehouses } from './warehouses';

/** A {@link TableStage} of audiences: vendors that take members, and people who may be some. */
export interface AudienceStage extends Omit<TableStage, 'syncs' | 'people'> {
  syncs: ReturnType<typeof testAudiences>;
  sims: Readonly<Record<string, Sim>>;
  /** So many people, all of whom agreed. */
  members(count: number): Promise<void>;
  /** Members of a collection at a vendor, by key. */
  at(vendor: string, collection: string): Promise<string[]>;
  approve(run: WorkflowHandle, runId: string): Promise<void>;
  killWorker(): Promise<void>;
  startWorker(): Promise<NodeProcess>;
}

const env = {
  SYNCLINE_LOG_LEVEL: 'debug',
  SYNCLINE_META_MAIN_ACCESS_TOKEN: 'sandbox-token',
  SYNCLINE_KLAVIYO_MAIN_API_KEY: 'pk_sandbox',
  SYNCLINE_GOOGLE_DATA_MANAGER_MAIN_CLIENT_ID: 'sandbox-client',
  SYNCLINE_GOOGLE_DATA_MANAGER_MAIN_CLIENT_SECRET: 'sandbox-secret',
  SYNCLINE_GOOGLE_DATA_MANAGER_MAIN_REFRESH_TOKEN: 'sandbox-refresh-token',
};

export async function startAudienceStage(engine: 'postgres' | 'duckdb'): Promise<AudienceStage> {
  const stage = await startTableStage(
    testWarehouses.find((one) => one.engine === engine)!,
    {
      worker: 'test/support/audience-worker.ts',
      vendors: { klaviyo: ['--limits', 'unlimited'], meta: ['--limits', 'unlimited'], 'google-data-manager': ['--limits', 'unlimited'] },
      env,
    },
  );
  const { stack, warehouse } = stage;
  return {
    ...stage,
    syncs: testAudiences(engine),
    sims: stack.sims,
    async members(count) {
      await warehouse.sql('drop table if exists members');
      await warehouse.sql('create table members (id integer primary key, email text, phone text, agreed boolean)');
      await warehouse.sql(
        `insert into members select i, 'm' || i || '@example.com', case when i % 3 = 0 then '+49151' || (10000000 + i) end, true from generate_series(1, ${count}) as t(i)`,
      );
    },
    at: async (vendor, collection) =>
      (await stack.sims[vendor]!.records())
        .filter((record) => record.collection === collection)
        .map((record) => record.key as string)
        .sort(),
    approve: async (run, runId) =>
      void (await run.executeUpdate(decideRunUpdate, { args: [{ runId, decision: 'approve', reason: 'looked at it', by: 'tests' }] })),
    killWorker: () => stack.workers.at(-1)!.kill(),
    startWorker: () => stack.startWorker(),
  };
}

type People = { email: string; phone: string | null }[];

/** The keys of people in Google's list. */
export function userListKeys(people: People): string[] {
  return keysOf(joinUserList, people);
}

/** The keys of people in Meta's audience. */
export function audienceKeys(people: People): string[] {
  return keysOf(joinAudience, people);
}

function keysOf({ key, input }: typeof joinUserList, people: People): string[] {
  return people.map(({ email, phone }) => key(input.parse({ emails: [email], phones: phone === null ? [] : [phone] }))).sort();
}
