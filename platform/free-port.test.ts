import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port';

test('free ports differ, even before anything listens on them', async () => {
  const ports = await Promise.all(Array.from({ length: 100 }, freePort));
  expect(new Set(ports).size).toBe(100);
});

test('processes that pick at the same moment never pick the same', async () => {
  const pick = `require(${JSON.stringify(path.resolve(__dirname, 'free-port.ts'))}); Promise.all(Array.from({ length: 30 }, require(${JSON.stringify(path.resolve(__dirname, 'free-port.ts'))}).freePort)).then((ports) => { console.log(ports.join()); setTimeout(() => undefined, 1500); });`;
  const picked = await Promise.all(
    Array.from({ length: 4 }, () =>
      promisify(execFile)(process.execPath, ['--require', require.resolve('tsx/cjs'), '-e', pick]).then(({ stdout }) => stdout.trim().split(',')),
    ),
  );
  expect(new Set(picked.flat()).size).toBe(4 * 30);
});

test('none lies where systems take the ports of outgoing connections', async () => {
  const port = await freePort();
  expect(port).toBeGreaterThanOrEqual(20_000);
  expect(port).toBeLessThan(32_768);
});
