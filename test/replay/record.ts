import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { workflowBundle } from '../../workers/bundle';
import { vendorTaskQueue } from '../../workflows/ids';
import { createTestNamespace, ensureTemporal, stopTestServers } from '../support/servers';
import { stubActivities } from '../support/stub-activities';
import { budgetStory } from './budget-story';
import { recordTable } from './record-tables';
import { budgetHistory, scenarios } from './scenarios';
import { tableScenarios } from './table-scenarios';

/**
 * Records a history of every scenario on a real server, on purpose: after a change of workflow code that old histories
 * have been proven to survive. `npm run histories:record [name…]`.
 */
async function main(names: string[]): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR', forward: {} } } });
  await ensureTemporal();
  const { address, namespace } = await createTestNamespace('record');
  const [connection, native, bundle] = await Promise.all([Connection.connect({ address }), NativeConnection.connect({ address }), workflowBundle()]);
  const client = new Client({ connection, namespace });
  for (const scenario of scenarios.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const input = { ...scenario.input, plan: { ...scenario.input.plan, account: scenario.name } };
    const activities = stubActivities(scenario.activities);
    const base = { connection: native, namespace, activities };
    const main = await Worker.create({ ...base, taskQueue: scenario.name, workflowBundle: bundle });
    const vendor = await Promise.all(
      (['live', 'bulk'] as const).map((kind) => Worker.create({ ...base, taskQueue: vendorTaskQueue(input.plan.vendor, scenario.name, kind) })),
    );
    const running = vendor.map((worker) => worker.run());
    await main.runUntil(async () => {
      const handle = await client.workflow.start('recordSync', { taskQueue: scenario.name, workflowId: `history/${scenario.name}`, args: [input] });
      if (scenario.cancel) {
        while (!(await handle.fetchHistory()).events?.some((event) => event.timerStartedEventAttributes)) await delay(50);
        await handle.cancel();
      }
      await handle.result().catch(() => undefined);
      const file = path.join(__dirname, 'histories', `${scenario.name}.json`);
      await writeFile(file, `${historyToJSON(await handle.fetchHistory())}\n`);
      process.stderr.write(`${scenario.name}\n`);
    });
    for (const worker of vendor) worker.shutdown();
    await Promise.all(running);
  }
  for (const scenario of tableScenarios.filter(({ name, older }) => !older && (names.length === 0 || names.includes(name)))) {
    await recordTable(scenario, { native, namespace, bundle, client });
  }
  if (names.length === 0 || names.includes(budgetHistory)) {
    const worker = await Worker.create({ connection: native, namespace, taskQueue: budgetHistory, workflowBundle: bundle });
    await worker.runUntil(async () => {
      // Ends by continuing as new after the last of the story's updates.
      const handle = await client.workflow.start('vendorBudget', {
        taskQueue: budgetHistory,
        workflowId: `history/${budgetHistory}`,
        args: [{ scope: { vendor: 'sample', scope: 'main' }, maxUpdates: 8 }],
      });
      const first = client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId);
      await budgetStory(handle);
      await writeFile(path.join(__dirname, 'histories', `${budgetHistory}.json`), `${historyToJSON(await first.fetchHistory())}\n`);
      await handle.terminate();
      process.stderr.write(`${budgetHistory}\n`);
    });
  }
  await connection.close();
  await native.close();
  await stopTestServers();
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  },
);
