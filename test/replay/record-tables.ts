import type { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { type NativeConnection, Worker } from '@temporalio/worker';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { vendorTaskQueue, warehouseTaskQueue } from '../../workflows/ids';
import { stubActivities } from '../support/stub-activities';
import type { TableScenario } from './table-scenarios';

/** Records one history of a table sync's run or of its tick. */
export async function recordTable(
  scenario: TableScenario,
  on: { native: NativeConnection; namespace: string; bundle: { code: string }; client: Client },
): Promise<void> {
  const { name } = scenario;
  const plan = { ...scenario.input.plan, syncId: name, account: name, warehouse: { ...scenario.input.plan.warehouse, name } };
  const args = [{ ...scenario.input, plan }];
  const base = { connection: on.native, namespace: on.namespace, activities: stubActivities(scenario.activities) };
  const main = await Worker.create({ ...base, taskQueue: name, workflowBundle: on.bundle });
  const others = await Promise.all(
    [vendorTaskQueue(plan.vendor, name, 'bulk'), warehouseTaskQueue(name)].map((taskQueue) => Worker.create({ ...base, taskQueue })),
  );
  const running = others.map((worker) => worker.run());
  await main.runUntil(async () => {
    const { workflow } = on.client;
    const run = `${name}/run`;
    if (scenario.busy) await workflow.start('tableSync', { taskQueue: name, workflowId: run, args });
    const workflowId = scenario.workflow === 'tableSync' ? run : `history/${name}`;
    const handle = await workflow.start(scenario.workflow, { taskQueue: name, workflowId, args });
    await scenario.story?.(handle);
    await handle.result().catch(() => undefined);
    await writeFile(path.join(__dirname, 'histories', `${name}.json`), `${historyToJSON(await handle.fetchHistory())}\n`);
    if (scenario.workflow === 'tableTick') await workflow.getHandle(run).cancel();
    process.stderr.write(`${name}\n`);
  });
  for (const worker of others) worker.shutdown();
  await Promise.all(running);
}
