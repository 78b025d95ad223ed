import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createProcessLogs, inWords } from './process-log';

test('a JSON line becomes its message and cause', () => {
  expect(inWords('{"level":"warn","msg":"attempt failed","cause":"429"}')).toBe('attempt failed: 429');
  expect(inWords('{"level":"fatal","msg":"it could not start","err":{"message":"no database"}}')).toBe('it could not start: no database');
  expect(inWords('Segmentation fault')).toBe('Segmentation fault');
});

test('all lines go to the file; only errors are shown, the same one once', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'syncline-logs-'));
  const shown: string[] = [];
  const logs = createProcessLogs(folder, (line) => shown.push(line));
  const worker = logs.of('worker');
  const lines = ['{"level":"info","msg":"up"}', '{"level":"error","msg":"no database"}', '{"level":"error","msg":"no database"}', 'plain words'];
  for (const line of lines) worker(line);
  await logs.close();
  expect(shown).toEqual(['worker: no database']);
  expect(readFileSync(path.join(folder, 'worker.log'), 'utf8').trim().split('\n')).toEqual(lines);
  rmSync(folder, { recursive: true });
});
