import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

// As a process of its own, the way the sandbox runs it.
const started: ChildProcess[] = [];
afterAll(() => started.forEach((child) => child.kill('SIGKILL')));

function simulate(...flags: string[]): { child: ChildProcess; out: () => string; err: () => string } {
  const child = spawn(process.execPath, ['--import', 'tsx', join(__dirname, 'simulate.ts'), ...flags], {
    cwd: join(__dirname, '..'),
    stdio: 'pipe',
  });
  started.push(child);
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  child.stderr.on('data', (chunk) => (err += String(chunk)));
  return { child, out: () => out, err: () => err };
}

test('says one line when ready, takes its flags, ends with its parent', async () => {
  const { child, out } = simulate(
    '--vendor',
    'hubspot',
    '--port',
    '0',
    '--token',
    'only-this',
    '--property',
    'loyalty_tier',
    '--plan',
    'enterprise',
    '--exit-with-parent',
  );
  await once(child.stdout!, 'data');
  const ready = JSON.parse(out()) as { ready: boolean; name: string; port: number; url: string };
  expect(ready).toEqual({ ready: true, name: 'sim-hubspot', port: expect.any(Number) as number, url: `http://127.0.0.1:${ready.port}` });
  const ask = async (token: string) => (await fetch(`${ready.url}/crm/v3/objects/contacts/1`, { headers: { authorization: `Bearer ${token}` } })).status;
  expect([await ask('only-this'), await ask('another')]).toEqual([404, 401]);
  child.stdin!.end();
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(out().trim().split('\n')).toHaveLength(1);
}, 30_000);

test('SIGTERM ends it', async () => {
  const { child } = simulate('--vendor', 'leadscore');
  await once(child.stdout!, 'data');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
}, 30_000);

test.each([
  [['--vendor', 'nobody'], 'there is no simulator for "nobody"'],
  [['--vendor', '../hubspot'], 'not a vendor folder'],
  [['--vendor', 'hubspot', '--windowscale', '2'], 'windowscale'],
  [['--vendor', 'hubspot', '--window-scale', 'two'], 'windowScale'],
])(
  '%j is refused with a reason',
  async (flags, reason) => {
    const { child, err, out } = simulate(...flags);
    expect(await once(child, 'exit')).toEqual([2, null]);
    expect(err()).toContain(reason);
    expect(err()).toContain('--vendor <name>');
    expect(out()).toBe('');
  },
  30_000,
);
