import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sendWebhook } from '../../client/sandbox/provider';
import { ordinaryEvent } from '../../client/sandbox/samples';
import { simulatorControl } from '../../client/sandbox/simulators';
import { createLedger } from '../../ledger';
import { spawnStart, startFolder, type StartProcess } from '../support/start-process';

jest.setTimeout(180_000);

interface Ready {
  gatewayUrl: string;
  databaseUrl: string;
  simulators: Record<string, string>;
  workerPid: number;
}

const folder = startFolder();
const ports = [
  'TEMPORAL_PORT',
  'TEMPORAL_UI_PORT',
  'GATEWAY_PORT',
  'SYNCLINE_CODEC_PORT',
  'SYNCLINE_METRICS_PORT',
  'SYNCLINE_HUBSPOT_SIMULATOR_PORT',
  'SYNCLINE_LEADSCORE_SIMULATOR_PORT',
];
const env = { SYNCLINE_STATE_DIR: path.join(folder.path, 'state'), TMPDIR: folder.path, ...Object.fromEntries(ports.map((name) => [name, '0'])) };
const started: StartProcess[] = [];

async function sandbox(): Promise<{ process: StartProcess; ready: Ready }> {
  const process = spawnStart(['--json', '--no-samples'], env);
  started.push(process);
  return { process, ready: JSON.parse(await process.said('stdout', '\n')) as Ready };
}

async function received(databaseUrl: string): Promise<number> {
  const ledger = createLedger({ connectionString: databaseUrl });
  const funnels = await ledger.queries.funnel().finally(() => ledger.close());
  return funnels.reduce((sum, funnel) => sum + funnel.received, 0);
}

afterAll(async () => {
  for (const { child, ended } of started) {
    child.kill('SIGKILL');
    await ended;
  }
  folder.remove();
});

test('a sandbox outlives its worker, refuses a second one, leaves nothing running, and keeps its data', async () => {
  const { process: first, ready } = await sandbox();

  const second = await spawnStart([], env).ended;
  expect(second.code).toBe(2);
  expect(second.stderr).toContain(`a sandbox already runs here (process ${first.child.pid})`);

  process.kill(ready.workerPid, 'SIGKILL');
  const answer = await sendWebhook(ready.gatewayUrl, ordinaryEvent({ tag: 'live', now: Date.now() }, 1));
  expect(answer.status).toBe(202);
  await first.said('stderr', 'worker runs again');
  const hubspot = simulatorControl(ready.simulators['hubspot'] ?? '');
  for (let tries = 0; tries < 300 && (await hubspot.records()).length === 0; tries++) await delay(100);
  expect(await hubspot.records()).toMatchObject([{ key: 'customer1@example.com' }]);

  first.child.kill('SIGINT');
  expect((await first.ended).code).toBe(0);
  expect(await folder.processes()).toEqual([]);

  const again = await sandbox();
  expect(await received(again.ready.databaseUrl)).toBe(1);
  again.process.child.kill('SIGTERM');
  expect((await again.process.ended).code).toBe(0);
});
