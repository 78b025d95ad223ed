import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { commandEnvironment, forgetRunning, isRunningSandbox, noteRunning, runningSandbox } from './running';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'syncline-running-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const sandbox = { SYNCLINE_DATABASE_URL: 'postgres://127.0.0.1:5433/syncline', TEMPORAL_ADDRESS: '127.0.0.1:7233' };

test('commands work on the running sandbox, until it ends', () => {
  noteRunning(folder, sandbox);
  expect(commandEnvironment({ SYNCLINE_STATE_DIR: folder })).toMatchObject(sandbox);
  forgetRunning(folder);
  expect(commandEnvironment({ SYNCLINE_STATE_DIR: folder })).toEqual({ SYNCLINE_STATE_DIR: folder });
});

test.each(['TEMPORAL_ADDRESS', 'SYNCLINE_DATABASE_URL', 'SYNCLINE_MODE'])('%s says what is meant instead', (variable) => {
  noteRunning(folder, sandbox);
  const env = { SYNCLINE_STATE_DIR: folder, [variable]: 'mine' };
  expect(commandEnvironment(env)).toEqual(env);
});

test('settings are the sandbox’s while it runs, and only with its own server', () => {
  noteRunning(folder, sandbox);
  const of = (env: Record<string, string>) => isRunningSandbox({ SYNCLINE_STATE_DIR: folder, ...env });
  expect([of(sandbox), of({ ...sandbox, TEMPORAL_ADDRESS: 'temporal.internal:7233' }), of({})]).toEqual([true, false, false]);
  forgetRunning(folder);
  expect(of(sandbox)).toBe(false);
});

test('what a killed sandbox left behind counts for nothing', () => {
  writeFileSync(path.join(folder, 'running.json'), JSON.stringify({ pid: 2 ** 30, env: sandbox }));
  expect(runningSandbox(folder)).toBeUndefined();
  writeFileSync(path.join(folder, 'running.json'), '{"pid":');
  expect(runningSandbox(folder)).toBeUndefined();
});
