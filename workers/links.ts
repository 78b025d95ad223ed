import type { Connector } from '../connectors/connector';
import { createVendorHttp, type VendorHttp } from '../connectors/http';
import type { Gate } from '../connectors/permit';
import type { VendorLink } from '../activities/deps';
import { ConfigError } from '../platform/config';
import type { Environment, Secrets } from '../platform/secrets';
import { accountVariable, budgetScopes, type VendorAccount } from '../syncs/accounts-api';

/** From permit to last byte, milliseconds. */
const callTimeoutMs = 10_000;

/** HTTP to every account. Credentials are checked now, so that a missing one stops the start, not the first record. */
export function createLinks(options: { accounts: readonly VendorAccount[]; secrets: Secrets; env: Environment; gate: Gate }) {
  const { accounts, secrets, env, gate } = options;
  const problems: string[] = [];
  const https = new Map<string, VendorHttp>();
  for (const account of accounts) {
    const { connector, name } = account;
    const scopesOf = (quota: string) => budgetScopes(account, quota);
    const read = () => Promise.resolve(credentialsOf(connector, name, secrets));
    try {
      credentialsOf(connector, name, secrets);
    } catch (error) {
      problems.push((error as Error).message);
    }
    const baseUrl = env[accountVariable(connector.vendor, name, 'baseUrl')] ?? connector.baseUrl;
    https.set(`${connector.vendor}/${name}`, createVendorHttp({ connector, baseUrl, credentials: read, gate, scopesOf, timeoutMs: callTimeoutMs }));
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    link(vendor: string, account: string): VendorLink {
      const http = https.get(`${vendor}/${account}`);
      if (!http) throw new Error(`no account ${vendor}/${account} is declared by the syncs of this worker`);
      return { call: (by) => http.call(by), timeoutMs: callTimeoutMs };
    },
    close() {
      for (const http of https.values()) http.close();
    },
  };
}

function credentialsOf(connector: Connector, account: string, secrets: Secrets): Record<string, string> {
  return Object.fromEntries(connector.credentials.map((field) => [field, secrets.one(accountVariable(connector.vendor, account, field))]));
}
