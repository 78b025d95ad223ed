import { sandboxSecret, sandboxStandardWebhooksSecret, type Environment } from '../../platform/secrets';
import type { SandboxWarehouse } from './warehouses';
import { accountVariable } from '../../syncs/accounts-api';
import { vendorAccounts, type Sync } from '../../syncs/define-sync';
import type { TableSync } from '../../syncs/define-table-sync';

/** A fixed secret of the sandbox. */
export interface SandboxSecret {
  variable: string;
  value: string;
  /** What it is for, in a few words. */
  use: string;
}

/** Nothing listens there: a vendor without a simulator is not called from a sandbox. */
const nowhere = 'http://127.0.0.1:9';

/** The fixed secrets of all accounts that the syncs name: a new sync has its own as soon as it is listed. */
export function sandboxSecrets(syncs: readonly Sync[], tableSyncs: readonly TableSync[] = []): SandboxSecret[] {
  const sources = new Map(syncs.map(({ on }) => [on.account.secretVariable, on.account]));
  const webhooks = [...sources.values()].map(({ source, name, secretVariable }) => ({
    variable: secretVariable,
    value: isStandardWebhooks(source.vendor) ? sandboxStandardWebhooksSecret(secretVariable) : sandboxSecret(secretVariable),
    use: `signs webhooks of ${source.vendor}/${name}`,
  }));
  const credentials = vendorAccounts([...syncs, ...tableSyncs]).flatMap(({ connector, name }) =>
    connector.credentials.map((field) => {
      const variable = accountVariable(connector.vendor, name, field);
      return { variable, value: sandboxSecret(variable), use: `calls ${connector.vendor}/${name}` };
    }),
  );
  const keySecret = 'SYNCLINE_KEY_SECRET';
  return [...webhooks, ...credentials, { variable: keySecret, value: sandboxSecret(keySecret), use: 'makes HMACs of record keys' }];
}

function isStandardWebhooks(vendor: string): boolean {
  return vendor === 'standard-webhooks' || vendor === 'svix';
}

/** Where the parts of a sandbox listen. */
export interface SandboxAddresses {
  databaseUrl: string;
  temporalAddress: string;
  webUiUrl?: string;
  /** By vendor. */
  simulators: Readonly<Record<string, string>>;
  warehouses: readonly SandboxWarehouse[];
}

/** What gateway, worker and the command line need to work on a sandbox. */
export function sandboxEnvironment(syncs: readonly Sync[], tableSyncs: readonly TableSync[], addresses: SandboxAddresses): Record<string, string> {
  const baseUrls = vendorAccounts([...syncs, ...tableSyncs]).map(
    ({ connector: { vendor }, name }) => [accountVariable(vendor, name, 'baseUrl'), addresses.simulators[vendor] ?? nowhere] as const,
  );
  return {
    SYNCLINE_MODE: 'sandbox',
    SYNCLINE_DATABASE_URL: addresses.databaseUrl,
    TEMPORAL_ADDRESS: addresses.temporalAddress,
    TEMPORAL_NAMESPACE: 'default',
    ...(addresses.webUiUrl === undefined ? {} : { SYNCLINE_WEB_UI_URL: addresses.webUiUrl }),
    ...Object.fromEntries(sandboxSecrets(syncs, tableSyncs).map(({ variable, value }) => [variable, value])),
    ...Object.fromEntries(baseUrls),
    ...Object.fromEntries(addresses.warehouses.flatMap(({ env }) => Object.entries(env))),
  };
}

/** Settings of the user's that a sandbox keeps: they name no server and no secret. */
const kept = new Set(['SYNCLINE_LOG_LEVEL', 'SYNCLINE_CACHE_DIR', 'SYNCLINE_START_CONCURRENCY', 'SYNCLINE_LOST_CHECK_MS']);

/**
 * Takes everything else that is set for a real installation out of the children's environment: an exported
 * production token or TLS profile must not reach into a sandbox.
 */
export function withoutRealSettings(env: Environment): Record<string, undefined> {
  const real = Object.keys(env).filter((name) => /^(TEMPORAL|SYNCLINE)_/.test(name) && !kept.has(name));
  return Object.fromEntries(real.map((name) => [name, undefined]));
}
