import { createServer } from 'node:net';
import { PortsInUseError, resolvePorts, services, simulatorPortVariable } from './service-ports';

const anyFree = Object.fromEntries([...Object.values(services).map(({ env }) => env), simulatorPortVariable('hubspot')].map((name) => [name, '0']));

async function taken<T>(count: number, work: (ports: number[]) => Promise<T>): Promise<T> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  try {
    return await work(servers.map((server) => (server.address() as { port: number }).port));
  } finally {
    for (const server of servers) server.close();
  }
}

test('all taken ports are named at once, each with its variable', async () => {
  await taken(2, async ([first, second]) => {
    const env = { ...anyFree, GATEWAY_PORT: String(first), SYNCLINE_HUBSPOT_SIMULATOR_PORT: String(second) };
    const error: unknown = await resolvePorts(['hubspot'], env).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(PortsInUseError);
    const { message } = error as Error;
    expect(message).toContain(`Port ${first} (gateway) is in use`);
    expect(message).toContain('Set SYNCLINE_HUBSPOT_SIMULATOR_PORT to another port, or to 0');
  });
});

test('any free: the environment is not asked', async () => {
  await taken(1, async ([port]) => {
    const ports = await resolvePorts(['hubspot'], { GATEWAY_PORT: String(port) }, true);
    const all = [...Object.values(ports.services), ...Object.values(ports.simulators)];
    expect(new Set(all).size).toBe(all.length);
    expect(all).not.toContain(port);
  });
});
