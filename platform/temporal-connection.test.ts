import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectionOptions } from './temporal-connection';

const folder = mkdtempSync(join(tmpdir(), 'syncline-temporal-'));
const file = join(folder, 'temporal.toml');
const nowhere = { TEMPORAL_CONFIG_FILE: join(folder, 'none.toml') };
afterAll(() => rmSync(folder, { recursive: true }));

test('localhost and the default namespace when nothing is set', () => {
  expect(connectionOptions(nowhere)).toEqual({ connection: { address: 'localhost:7233' }, namespace: 'default' });
});

test('variables', () => {
  const env = {
    ...nowhere,
    TEMPORAL_ADDRESS: 'temporal.example.com:7233',
    TEMPORAL_NAMESPACE: 'crm',
    TEMPORAL_API_KEY: 'key',
  };
  expect(connectionOptions(env)).toEqual({
    connection: { address: 'temporal.example.com:7233', apiKey: 'key', tls: true },
    namespace: 'crm',
  });
});

test('profiles of temporal.toml; variables win', () => {
  writeFileSync(file, '[profile.default]\naddress = "one:7233"\n[profile.prod]\naddress = "two:7233"\nnamespace = "prod"\n');
  expect(connectionOptions({ TEMPORAL_CONFIG_FILE: file }).connection.address).toBe('one:7233');
  const env = { TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'prod', TEMPORAL_ADDRESS: 'three:7233' };
  expect(connectionOptions(env)).toEqual({ connection: { address: 'three:7233' }, namespace: 'prod' });
});

test('a broken file is named as such', () => {
  writeFileSync(file, '[profile.default\n');
  expect(() => connectionOptions({ TEMPORAL_CONFIG_FILE: file })).toThrow('TEMPORAL_* variables or temporal.toml are not usable');
  writeFileSync(file, '[profile.default]\n');
  expect(() => connectionOptions({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'none' })).toThrow('not usable');
});
