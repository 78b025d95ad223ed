import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { freePort, isFree } from '../../platform/free-port';
import { PortInUseError, resolvePort } from './ports';

const choice = { env: 'GATEWAY_PORT', default: 8080, name: 'gateway' };

async function listen(host: string): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  return { server, port: (server.address() as { port: number }).port };
}

test('0 becomes a free port', async () => {
  const port = await resolvePort({ ...choice, environment: { GATEWAY_PORT: '0' } });
  expect(port).toBeGreaterThan(0);
  expect(await isFree(port)).toBe(true);
});

test('the variable wins over the default, and an empty one counts as unset', async () => {
  const [first, second] = [await freePort(), await freePort()];
  expect(await resolvePort({ ...choice, default: first, environment: { GATEWAY_PORT: String(second) } })).toBe(second);
  expect(await resolvePort({ ...choice, default: first, environment: { GATEWAY_PORT: ' ' } })).toBe(first);
});

test.each(['http', '-1', '70000', '80.5'])('"%s" is refused by name', async (value) => {
  await expect(resolvePort({ ...choice, environment: { GATEWAY_PORT: value } })).rejects.toThrow(`GATEWAY_PORT is "${value}", which is not a port`);
});

test.each(['127.0.0.1', '0.0.0.0'])('a port taken on %s is named with the variable that changes it', async (host) => {
  const { server, port } = await listen(host);
  try {
    const error: unknown = await resolvePort({ ...choice, default: port, environment: {} }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(PortInUseError);
    expect(String(error)).toMatch(new RegExp(`Port ${port} \\(gateway\\) is in use.*Set GATEWAY_PORT to another port, or to 0 for any free one`));
    if (process.platform === 'linux') expect(String(error)).toContain(`(process ${process.pid})`);
  } finally {
    server.close();
  }
});
