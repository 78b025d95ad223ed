import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { removeSandboxEnvironment, withSandbox, writeSandboxEnvironment } from './sandbox-environment';

let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'syncline-env-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const sandbox = { SYNCLINE_MODE: 'sandbox', SYNCLINE_DATABASE_URL: 'postgres://localhost/sandbox' };

test('a running sandbox is found without any setting, and not after it ended', () => {
  writeSandboxEnvironment(sandbox, folder);
  expect(withSandbox({ PATH: '/bin' }, folder)).toEqual({ ...sandbox, PATH: '/bin' });
  removeSandboxEnvironment(folder);
  expect(withSandbox({ PATH: '/bin' }, folder)).toEqual({ PATH: '/bin' });
});

test('settings of one’s own are never mixed with the sandbox’s', () => {
  writeSandboxEnvironment(sandbox, folder);
  const own = { TEMPORAL_ADDRESS: 'temporal.example.com:7233' };
  expect(withSandbox(own, folder)).toBe(own);
});

test('a note left behind by a killed sandbox, or half written, is ignored', () => {
  writeSandboxEnvironment(sandbox, folder);
  const note = path.join(folder, '.syncline', 'environment.json');
  writeFileSync(note, JSON.stringify({ pid: 2 ** 22 + 1, env: sandbox })); // above every pid the kernel gives by default
  expect(withSandbox({}, folder)).toEqual({});
  writeFileSync(note, '{"pid":');
  expect(withSandbox({}, folder)).toEqual({});
});
