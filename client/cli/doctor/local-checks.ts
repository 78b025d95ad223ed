import { ConfigError, loadConfig } from '../../../platform/config';
import { createSecrets, type Environment, type Mode, modeOf, type Secrets } from '../../../platform/secrets';
import { budgetName } from '../../../schemas/plan';
import { accountVariable, type SourceAccount, type VendorAccount } from '../../../syncs/accounts-api';
import { scopesOf, vendorAccounts, type Spender, type Sync } from '../../../syncs/define-sync';
import { warehouseAccounts, type TableSync } from '../../../syncs/define-table-sync';
import { warehouseVariable, type WarehouseAccount } from '../../../syncs/warehouses-api';
import { isRunningSandbox, restartSandbox } from '../../sandbox/running';
import { counted } from '../output/words';
import { type Check, checksOf, messageOf } from './check';

/** What can be checked without asking anybody: Node, variables, secrets, declarations. */
export function localChecks(env: Environment, syncs: readonly Sync[], tableSyncs: readonly TableSync[]): Check[] {
  return [
    nodeCheck(process.versions.node),
    ...configChecks(env),
    ...secretChecks(env, syncs, tableSyncs),
    publicUrlCheck(env, syncs),
    ...shareChecks([...syncs, ...tableSyncs]),
  ];
}

const here = checksOf('This machine');
const declared = checksOf('Syncs and accounts');

/** First Node version we run on (package.json, `engines`). */
const minNode = { major: 20, minor: 19 };

export function nodeCheck(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const fits = major > minNode.major || (major === minNode.major && minor >= minNode.minor);
  return fits ? here.ok('Node', version) : here.fail('Node', version, `install Node ${minNode.major}.${minNode.minor} or newer`);
}

/** The variables every process needs; each problem names its variable and what was expected. */
export function configChecks(env: Environment): Check[] {
  try {
    const { mode, codecKeys } = loadConfig(env);
    const encrypted = codecKeys.length > 0 || mode === 'sandbox';
    return [
      here.ok('configuration', `mode ${mode}`),
      encrypted
        ? here.ok('encryption', codecKeys.length > 0 ? counted(codecKeys.length, 'key') : 'none; fine in the sandbox')
        : here.warn(
            'encryption',
            'records stand readable in histories and in the inbox',
            'set SYNCLINE_CODEC_KEY (openssl rand -base64 32) for gateway, workers and this program',
          ),
    ];
  } catch (error) {
    const problems = error instanceof ConfigError ? error.problems : [messageOf(error)];
    return problems.map((problem) => here.fail('configuration', problem, 'gateway, workers and this program need the same value'));
  }
}

/** Secrets of every account and warehouse that some sync names: there, readable, and not the sandbox's in real mode. */
export function secretChecks(env: Environment, syncs: readonly Sync[], tableSyncs: readonly TableSync[] = []): Check[] {
  let mode: Mode;
  try {
    mode = modeOf(env);
  } catch {
    return []; // said by the configuration's check
  }
  const secrets = createSecrets({ env, mode });
  const sources = unique(
    syncs.map((sync) => sync.on.account),
    ({ source, name }) => `${source.vendor}/${name}`,
  );
  const checks = [
    ...sources.map((account) => sourceCheck(account, secrets)),
    ...vendorAccounts([...syncs, ...tableSyncs]).map((account) => destinationCheck(account, secrets)),
    ...warehouseAccounts(tableSyncs).map((account) => warehouseCheck(account, secrets)),
  ];
  return isRunningSandbox(env) ? checks.map(inSandbox) : checks;
}

/** A sandbox sets all of this itself: nobody else should. */
function inSandbox(check: Check): Check {
  if (check.state !== 'fail') return check;
  return { ...check, found: check.found.replaceAll(/ is missing; set it, or \S+ to a file that holds it/g, ' is missing'), fix: restartSandbox };
}

function warehouseCheck({ name, engine }: WarehouseAccount, secrets: Secrets): Check {
  const title = `warehouse ${name}`;
  const variable = warehouseVariable(name, engine === 'postgres' ? 'URL' : 'STATE');
  try {
    secrets.one(variable);
    return declared.ok(title, `${variable} set`);
  } catch (error) {
    const what = engine === 'postgres' ? 'the address of the PostgreSQL that holds the rows' : 'the file for our tables, made when it is missing';
    return declared.fail(title, messageOf(error), `set it to ${what}, for workers and this program: a worker does not start without it`);
  }
}

function sourceCheck({ source, name, secretVariable }: SourceAccount, secrets: Secrets): Check {
  const title = `webhooks ${source.vendor}/${name}`;
  try {
    return declared.ok(title, `${counted(secrets.list(secretVariable).length, 'signing secret')}`);
  } catch (error) {
    return declared.fail(title, messageOf(error), `${source.vendor} shows it where the endpoint is registered`);
  }
}

function destinationCheck({ connector, name, plan }: VendorAccount, secrets: Secrets): Check {
  const title = `account ${connector.vendor}/${name}`;
  const problems: string[] = [];
  for (const field of connector.credentials) {
    try {
      secrets.one(accountVariable(connector.vendor, name, field));
    } catch (error) {
      problems.push(messageOf(error));
    }
  }
  if (problems.length > 0) return declared.fail(title, problems.join('; '), 'a worker does not start without it');
  return declared.ok(title, `${connector.credentials.join(', ') || 'no credentials needed'} set, plan ${plan}`);
}

/** HubSpot v3 signs the public address: the gateway must know it. */
export function publicUrlCheck(env: Environment, syncs: readonly Sync[]): Check {
  const url = env['GATEWAY_PUBLIC_URL'];
  const signers = unique(
    syncs.map((sync) => sync.on.account),
    ({ name }) => name,
  ).filter(({ source }) => source.vendor === 'hubspot');
  if (!url) {
    if (signers.length === 0) return declared.ok('public address', 'not needed: no source signs it');
    return declared.fail(
      'public address',
      'GATEWAY_PUBLIC_URL is missing, and HubSpot signs it',
      'set GATEWAY_PUBLIC_URL to the address HubSpot calls, e.g. https://hooks.example.com',
    );
  }
  if (!/^https?:\/\/[^/]+/.test(url)) return declared.fail('public address', 'GATEWAY_PUBLIC_URL is not an address', 'use the form https://hooks.example.com');
  return declared.ok('public address', url);
}

/** Shares guarantee a part of a budget: together at most all of it. */
export function shareChecks(syncs: readonly Pick<Spender, 'id' | 'budget' | 'to'>[]): Check[] {
  const sums = new Map<string, { sum: number; syncs: string[] }>();
  for (const sync of syncs) {
    const { id, budget } = sync;
    for (const name of scopesOf(sync).map(budgetName)) {
      const entry = sums.get(name) ?? { sum: 0, syncs: [] };
      entry.sum += budget.share ?? 0;
      if (budget.share !== undefined) entry.syncs.push(id);
      sums.set(name, entry);
    }
  }
  return [...sums].map(([scope, { sum, syncs: sharing }]) => {
    const percent = `${Math.round(sum * 100)} % guaranteed to ${counted(sharing.length, 'sync')}`;
    // Shares are decimal fractions: 0.1 + 0.2 must not be a finding.
    if (sum <= 1 + 1e-9) return declared.ok(`budget ${scope}`, percent);
    return declared.fail(`budget ${scope}`, percent, `lower budget.share in ${sharing.join(', ')}: together at most 1`);
  });
}

function unique<T>(values: readonly T[], id: (value: T) => string): T[] {
  return [...new Map(values.map((value) => [id(value), value])).values()];
}
