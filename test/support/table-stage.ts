import type { WorkflowHandle, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import { tableStartOptions, tableSyncType } from '../../platform/table-start';
import type { TableRunInput, TableRunResult, TableRunView } from '../../schemas/table';
import { compileTablePlan, type TableSync } from '../../syncs/define-table-sync';
import { tableRunQuery } from '../../workflows/messages';
import { startStack, type Stack, type StackOptions } from './stack';
import { testTableSyncs } from './table-syncs';
import type { TestWarehouse, testWarehouses } from './warehouses';

/** The product as processes, with a warehouse of people. */
export interface TableStage {
  stack: Stack;
  warehouse: TestWarehouse;
  syncs: ReturnType<typeof testTableSyncs>;
  /** A table `people` of so many rows, with addresses of their own. */
  people(rows: number, prefix?: string): Promise<void>;
  start(sync: TableSync, input?: Partial<TableRunInput>): Promise<WorkflowHandleWithFirstExecutionRunId>;
  /** A whole run. */
  run(sync: TableSync, input?: Partial<TableRunInput>): Promise<TableRunResult>;
  /** Resolves once the run's view fits. */
  until(handle: WorkflowHandle, fits: (view: TableRunView) => boolean, ms?: number): Promise<TableRunView>;
  stop(): Promise<void>;
}

export async function startTableStage({ engine, create }: (typeof testWarehouses)[number], options: Partial<StackOptions> = {}): Promise<TableStage> {
  const warehouse = await create();
  const syncs = testTableSyncs(engine);
  const env = { TABLE_ENGINE: engine, ...warehouse.env, ...options.env };
  const stack = await startStack({
    name: `table-${engine}`,
    worker: 'test/support/table-worker.ts',
    hubspot: ['--limits', 'unlimited'],
    ...options,
    env,
  }).catch(async (error: unknown) => {
    await warehouse.drop();
    throw error;
  });
  const start: TableStage['start'] = (sync, input) => stack.client.workflow.start(tableSyncType, tableStartOptions({ plan: compileTablePlan(sync), ...input }));
  return {
    stack,
    warehouse,
    syncs,
    start,
    async people(rows, prefix = 'p') {
      await warehouse.sql('drop table if exists people');
      await warehouse.sql('create table people (id integer primary key, email text, name text, visits integer)');
      await warehouse.sql(`insert into people select i, '${prefix}' || i || '@example.com', 'Person ' || i, i % 7 from generate_series(1, ${rows}) as t(i)`);
    },
    run: async (sync, input) => (await start(sync, input)).result() as Promise<TableRunResult>,
    async until(handle, fits, ms = 60_000) {
      const end = Date.now() + ms;
      for (;;) {
        const view = await handle.query(tableRunQuery);
        if (fits(view)) return view;
        if (Date.now() > end) throw new Error(`after ${ms} ms the run is still ${JSON.stringify(view)}`);
        await delay(100);
      }
    },
    async stop() {
      await stack.stop();
      await warehouse.drop();
    },
  };
}
