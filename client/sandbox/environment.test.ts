import { loadConfig } from '../../platform/config';
import { isSandboxSecret } from '../../platform/secrets';
import { syncs } from '../../syncs';
import { sandboxEnvironment, sandboxSecrets, withoutRealSettings } from './environment';
import { simulatorsFor } from './simulators';

const addresses = {
  warehouses: [],
  databaseUrl: 'postgres://syncline:syncline@127.0.0.1:5433/syncline',
  temporalAddress: '127.0.0.1:7233',
  simulators: { hubspot: 'http://127.0.0.1:9100', leadscore: 'http://127.0.0.1:9101' },
};

test('every account of the syncs has a fixed secret that real mode refuses', () => {
  const secrets = sandboxSecrets(syncs);
  expect(secrets.map(({ variable }) => variable)).toEqual(
    expect.arrayContaining([
      'SYNCLINE_SHOPIFY_SHOP_WEBHOOK_SECRET',
      'SYNCLINE_STRIPE_BILLING_WEBHOOK_SECRET',
      'SYNCLINE_HUBSPOT_MAIN_TOKEN',
      'SYNCLINE_LEADSCORE_SCORING_API_KEY',
    ]),
  );
  expect(secrets.filter(({ value }) => !isSandboxSecret(value))).toEqual([]);
});

test('the environment is a usable configuration, and all vendors in it are simulated', () => {
  const env = sandboxEnvironment(syncs, [], addresses);
  expect(loadConfig(env)).toMatchObject({ mode: 'sandbox', databaseUrl: addresses.databaseUrl });
  expect(env).toMatchObject({ SYNCLINE_HUBSPOT_MAIN_BASE_URL: 'http://127.0.0.1:9100', SYNCLINE_LEADSCORE_SCORING_BASE_URL: 'http://127.0.0.1:9101' });
});

test('a vendor without a simulator is called nowhere', () => {
  expect(sandboxEnvironment(syncs, [], { ...addresses, simulators: {} })).toMatchObject({ SYNCLINE_HUBSPOT_MAIN_BASE_URL: 'http://127.0.0.1:9' });
});

test('settings of a real installation do not reach the sandbox', () => {
  const env = {
    TEMPORAL_API_KEY: 'key',
    SYNCLINE_HUBSPOT_MAIN_TOKEN: 'token',
    SYNCLINE_LOG_LEVEL: 'debug',
    GATEWAY_PUBLIC_URL: 'https://x.example',
    PATH: '/bin',
  };
  expect(withoutRealSettings(env)).toEqual({ TEMPORAL_API_KEY: undefined, SYNCLINE_HUBSPOT_MAIN_TOKEN: undefined });
});

test('each destination vendor is simulated, with the plan of its account', () => {
  const specs = simulatorsFor(syncs);
  expect(specs.map(({ vendor }) => vendor)).toEqual(['hubspot', 'leadscore']);
  expect(specs[0]?.args.join(' ')).toContain('--vendor hubspot --plan professional --property customer_plan');
});
