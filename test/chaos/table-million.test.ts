import os from 'node:os';
import { historyOfChain } from '../support/history-chain';
import { peakMemory } from '../support/peak-memory';
import { startTableStage, type TableStage } from '../support/table-stage';
import { testWarehouses } from '../support/warehouses';

const rows = Number(process.env['SYNCLINE_TEST_ROWS'] ?? 1_000_000);
/** A loaded machine sends some thousand rows a second. */
jest.setTimeout(120_000 + rows);

let stage: TableStage;
beforeAll(async () => {
  const postgres = testWarehouses.find(({ engine }) => engine === 'postgres')!;
  stage = await startTableStage(postgres, { env: { TABLE_LIMITS: 'wide' } });
});
afterAll(() => stage?.stop());

test('a million rows: each lands once and has its outcome, history and memory stay small; then nothing is left to do', async () => {
  await stage.people(rows);
  const startedAt = Date.now();
  const handle = await stage.start(stage.syncs.people);
  expect(await handle.result()).toMatchObject({ state: 'done', equation: { planned: rows, outcomes: { accepted: rows }, holds: true } });
  const seconds = (Date.now() - startedAt) / 1_000;
  const { records } = await stage.stack.hubspot.stats();
  expect(records).toMatchObject({ records: rows, writes: rows });

  const history = await historyOfChain(stage.stack.client, handle.workflowId, handle.firstExecutionRunId);
  const peakMiB = peakMemory(stage.stack.workers[0]!.pid);
  const figures = `${history.events} events and ${history.bytes} bytes in ${history.runs} runs, worker at most ${Math.round(peakMiB)} MiB`;
  process.stderr.write(`${rows} rows in ${seconds.toFixed(1)} s: ${figures} (load ${os.loadavg()[0]?.toFixed(1)})\n`);
  // A chunk of 5,000 rows: an activity, a workflow task or two, seven bytes a row as base64; and some for the run itself.
  expect(history.events).toBeLessThanOrEqual(100 + (rows / 1_000) * 5);
  expect(history.bytes).toBeLessThanOrEqual(100_000 + (rows / 1_000) * 12_000);
  expect(peakMiB).toBeLessThan(1_000);

  const again = Date.now();
  expect(await stage.run(stage.syncs.people)).toMatchObject({ counts: { read: rows, unchanged: rows, planned: 0 } });
  process.stderr.write(`nothing changed: compared in ${((Date.now() - again) / 1_000).toFixed(1)} s\n`);
});
