import { loadGatewayConfig } from './config';

const usable = {
  SYNCLINE_DATABASE_URL: 'postgres://user:hunter2@localhost:5432/syncline',
  SYNCLINE_KEY_SECRET: 'a-secret-of-some-length',
  TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml',
};

test('defaults', () => {
  expect(loadGatewayConfig(usable)).toMatchObject({
    host: '127.0.0.1',
    port: 8080,
    publicUrl: undefined,
    maxInFlight: 512,
    temporal: { connection: { address: 'localhost:7233' }, namespace: 'default' },
  });
});

test('what is set wins; what is wrong is named', () => {
  const env = {
    ...usable,
    GATEWAY_HOST: '0.0.0.0',
    GATEWAY_PORT: '0',
    GATEWAY_PUBLIC_URL: 'https://hooks.example.com',
  };
  expect(loadGatewayConfig(env)).toMatchObject({ host: '0.0.0.0', port: 0, publicUrl: 'https://hooks.example.com' });
  expect(() => loadGatewayConfig({ ...usable, GATEWAY_PUBLIC_URL: 'hooks.example.com', GATEWAY_PORT: 'http' })).toThrow(
    /GATEWAY_PORT is not usable[^]*GATEWAY_PUBLIC_URL is not usable; expected the address providers send to/,
  );
});
