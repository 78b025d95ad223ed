import pino from 'pino';
import { createServer } from 'node:net';
import { ConfigError } from '../platform/config';
import { freePort } from '../platform/free-port';
import { installRuntime } from './runtime';

test('a metrics port that is taken is a mistake of the configuration, said with port and variable', async () => {
  const port = await freePort();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const error = await installRuntime({ log: pino({ level: 'silent' }), metricsHost: '127.0.0.1', metricsPort: port }).then(
    () => null,
    (reason: unknown) => reason,
  );
  server.close();
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as ConfigError).message).toMatch(new RegExp(`SYNCLINE_METRICS_PORT: .*127\\.0\\.0\\.1:${port}.*in use.*set another port`));
});
