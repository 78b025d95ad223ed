import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { startChild } from './child';
import { noteOwner, waitForPredecessor } from './predecessor';

let dbFile: string;
beforeEach(async () => (dbFile = path.join(await mkdtemp(path.join(os.tmpdir(), 'syncline-owner-')), 'temporal.db')));
afterEach(() => rm(path.dirname(dbFile), { recursive: true, force: true }));

test('a file nobody uses, and one whose server ended, are free', async () => {
  await waitForPredecessor(dbFile);
  const server = await startChild({ name: 'server', command: '/bin/sh', args: ['-c', 'read -r _', dbFile], orphanGuard: 'stdin' });
  await noteOwner(dbFile, server.pid);
  await server.stop();
  await waitForPredecessor(dbFile);
});

test('an id that is now another program counts for nothing', async () => {
  await noteOwner(dbFile, process.pid);
  await waitForPredecessor(dbFile);
});

test('a server on its way out is waited for', async () => {
  const server = await startChild({ name: 'server', command: '/bin/sh', args: ['-c', 'read -r _', dbFile], orphanGuard: 'stdin' });
  await noteOwner(dbFile, server.pid);
  const order: string[] = [];
  const waiting = waitForPredecessor(dbFile).then(() => order.push('free'));
  void server.exited.then(() => order.push('ended'));
  await new Promise((resolve) => setImmediate(resolve));
  await Promise.all([server.stop(), waiting]);
  expect(order).toEqual(['ended', 'free']);
});
