import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sandboxSecret } from '../../../platform/secrets';
import { syncs } from '../../../syncs';
import type { Sync } from '../../../syncs/define-sync';
import { testTableSyncs } from '../../../test/support/table-syncs';
import { noteRunning } from '../../sandbox/running';
import { mainTaskQueue } from '../../../workflows/ids';
import { skewCheck } from './database-checks';
import { configChecks, nodeCheck, publicUrlCheck, secretChecks, shareChecks } from './local-checks';
import { queuesOf } from './temporal-checks';

const states = (checks: readonly { name: string; state: string }[]) => Object.fromEntries(checks.map(({ name, state }) => [name, state]));
const sync = syncs.find(({ id }) => id === 'shop-customer-to-crm') as Sync;

test('Node: 20.19 and newer', () => {
  expect(['18.20.0', '20.18.9', '20.19.0', '22.1.0'].map((version) => nodeCheck(version).state)).toEqual(['fail', 'fail', 'ok', 'ok']);
});

describe('configuration', () => {
  const complete = { SYNCLINE_DATABASE_URL: 'postgres://u:hush@localhost/db', SYNCLINE_KEY_SECRET: 'a-secret-of-enough-length' };

  test('every wrong variable is a finding of its own, without its value', () => {
    const checks = configChecks({ SYNCLINE_DATABASE_URL: 'mysql://hush', SYNCLINE_KEY_SECRET: 'short-hush' });
    expect(checks.map(({ state }) => state)).toEqual(['fail', 'fail']);
    expect(JSON.stringify(checks)).not.toContain('hush');
  });

  test('real mode without encryption is worth a warning', () => {
    expect(states(configChecks(complete))).toEqual({ configuration: 'ok', encryption: 'warn' });
    expect(states(configChecks({ ...complete, SYNCLINE_MODE: 'sandbox' }))).toEqual({ configuration: 'ok', encryption: 'ok' });
  });
});

describe('secrets', () => {
  const env = { SYNCLINE_SHOPIFY_SHOP_WEBHOOK_SECRET: 'one,two', SYNCLINE_HUBSPOT_MAIN_TOKEN: 'pat-1' };

  test('of every account in use', () => {
    expect(states(secretChecks(env, [sync]))).toEqual({ 'webhooks shopify/shop': 'ok', 'account hubspot/main': 'ok' });
    expect(states(secretChecks({}, [sync]))).toEqual({ 'webhooks shopify/shop': 'fail', 'account hubspot/main': 'fail' });
  });

  test('the sandbox’s are refused in real mode and fine in the sandbox', () => {
    const sandbox = { ...env, SYNCLINE_HUBSPOT_MAIN_TOKEN: sandboxSecret('SYNCLINE_HUBSPOT_MAIN_TOKEN') };
    expect(states(secretChecks(sandbox, [sync]))['account hubspot/main']).toBe('fail');
    expect(states(secretChecks({ ...sandbox, SYNCLINE_MODE: 'sandbox' }, [sync]))['account hubspot/main']).toBe('ok');
  });

  test('files are read, and one that can’t be is named', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'syncline-doctor-'));
    writeFileSync(path.join(folder, 'token'), 'pat-2\n');
    const withFile = (file: string) =>
      secretChecks({ SYNCLINE_HUBSPOT_MAIN_TOKEN_FILE: path.join(folder, file) }, [sync]).find(({ name }) => name.startsWith('account'));
    expect(withFile('token')?.state).toBe('ok');
    expect(withFile('missing')).toMatchObject({ state: 'fail', found: expect.stringContaining('SYNCLINE_HUBSPOT_MAIN_TOKEN_FILE') });
    rmSync(folder, { recursive: true });
  });
});

describe('table syncs', () => {
  const { cli } = testTableSyncs('postgres');
  const env = { SYNCLINE_WAREHOUSE_TEST_URL: 'postgres://u:hush@db/rows', SYNCLINE_HUBSPOT_MAIN_TOKEN: 'pat-1' };

  test('their accounts and warehouses are checked too', () => {
    expect(states(secretChecks(env, [], [cli]))).toEqual({ 'account hubspot/main': 'ok', 'warehouse test': 'ok' });
    const missing = secretChecks({}, [], [cli]);
    expect(states(missing)).toEqual({ 'account hubspot/main': 'fail', 'warehouse test': 'fail' });
    expect(missing[1]).toMatchObject({
      found: expect.stringContaining('SYNCLINE_WAREHOUSE_TEST_URL'),
      fix: expect.stringContaining('a worker does not start'),
    });
    expect(JSON.stringify(secretChecks(env, [], [cli]))).not.toContain('hush');
    const [, files] = secretChecks({}, [], [testTableSyncs('duckdb').cli]);
    expect(files!.found).toContain('SYNCLINE_WAREHOUSE_TEST_STATE');
  });

  test('listed beside a running sandbox: it is to be started again, not to be given settings', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'syncline-doctor-'));
    const sandbox = { SYNCLINE_MODE: 'sandbox', TEMPORAL_ADDRESS: '127.0.0.1:7233', SYNCLINE_STATE_DIR: folder };
    noteRunning(folder, sandbox);
    for (const check of secretChecks(sandbox, [], [cli])) {
      expect(check).toMatchObject({ state: 'fail', found: expect.stringMatching(/^SYNCLINE_\w+ is missing$/), fix: expect.stringContaining('npm start') });
    }
    rmSync(folder, { recursive: true });
  });

  test('somebody has to poll their queues', () => {
    const names = queuesOf([], [cli]).map(({ name }) => name);
    expect(names).toEqual([mainTaskQueue, 'vendor/hubspot/main/live', 'vendor/hubspot/main/bulk', 'warehouse/test']);
  });
});

describe('public address', () => {
  const hubspotSource = { ...sync, on: { ...sync.on, account: { ...sync.on.account, source: { ...sync.on.account.source, vendor: 'hubspot' } } } } as Sync;

  test('is needed when HubSpot sends webhooks', () => {
    expect(publicUrlCheck({}, [sync]).state).toBe('ok');
    expect(publicUrlCheck({}, [hubspotSource]).state).toBe('fail');
    expect(publicUrlCheck({ GATEWAY_PUBLIC_URL: 'https://hooks.example.com' }, [hubspotSource]).state).toBe('ok');
    expect(publicUrlCheck({ GATEWAY_PUBLIC_URL: 'hooks.example.com' }, [sync]).state).toBe('fail');
  });
});

test('shares of a budget are at most all of it, and decimals add up', () => {
  const sharing = (...shares: number[]) => shares.map((share, index) => ({ ...sync, id: `s-${index}`, budget: { ...sync.budget, share } }));
  expect(shareChecks(sharing(0.1, 0.2, 0.7))[0]?.state).toBe('ok');
  expect(shareChecks(sharing(0.6, 0.5))[0]).toMatchObject({ state: 'fail', found: '110 % guaranteed to 2 syncs', fix: expect.stringContaining('s-0, s-1') });
});

test('clocks may differ a little', () => {
  expect(skewCheck('Database', 300).state).toBe('ok');
  expect(skewCheck('Database', -5_000)).toMatchObject({ state: 'warn', found: '5 s behind this machine' });
});
