import { startChild } from './child';

const shell = (script: string) => startChild({ name: 'shell', command: '/bin/sh', args: ['-c', script], orphanGuard: 'stdin' });
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('an unexpected end is told from one we asked for', async () => {
  expect(await (await shell('echo why >&2; exit 3')).exited).toEqual({ code: 3, signal: null, expected: false });
  const child = await shell('read -r _');
  await child.stop();
  expect(await child.exited).toEqual({ code: null, signal: 'SIGTERM', expected: true });
});

test('the last words are kept', async () => {
  const child = await shell('echo one; echo two >&2');
  await child.exited;
  expect(child.lastLines().split('\n').sort()).toEqual(['one', 'two']);
});

test('one that ignores SIGTERM is killed with what it started', async () => {
  let grandchild = 0;
  let started: () => void = () => undefined;
  const up = new Promise<void>((resolve) => (started = resolve));
  const child = await startChild({
    name: 'stubborn',
    command: '/bin/sh',
    args: ['-c', `trap '' TERM; sleep 60 & echo $!; wait; wait`],
    orphanGuard: 'stdin',
    onLine: (line) => {
      grandchild = Number(line);
      started();
    },
  });
  await up;
  await child.stop(50);
  expect(await child.exited).toMatchObject({ signal: 'SIGKILL', expected: true });
  expect(isAlive(child.pid)).toBe(false);
  // The system's first process reaps the grandchild, so it may be seen dead for a moment.
  for (let tries = 0; isAlive(grandchild) && tries < 100; tries++) await new Promise(setImmediate);
  expect(grandchild).toBeGreaterThan(0);
});

test('a program that does not exist is named', async () => {
  const start = startChild({ name: 'Temporal server', command: '/nowhere/temporal', args: [], orphanGuard: 'watchdog' });
  await expect(start).rejects.toThrow('Temporal server could not be started: spawn /nowhere/temporal ENOENT');
});

test('stopping twice, or after the end, is harmless', async () => {
  const child = await shell('read -r _');
  await Promise.all([child.stop(), child.stop(), child.kill()]);
  await child.stop();
});
