import type { Client, Connection } from '@temporalio/client';
import type * as ClientModule from '@temporalio/client';
import type * as ConnectionModule from '../../platform/temporal-connection';
import type * as ConfigModule from '../../platform/config';
import type * as CodecModule from '../../platform/codec';
import type * as HmacModule from '../../platform/hmac';
import type * as LedgerModule from '../../ledger';
import type * as LoggingModule from '../../platform/logging';
import type * as RegistryModule from '../../syncs';
import type { Ledger } from '../../ledger/port';
import type { Sync } from '../../syncs/define-sync';
import type { TableSync } from '../../syncs/define-table-sync';
import type { Config } from '../../platform/config';
import { CliError, exitCodes } from './cli-error';
import type { CliContext, TemporalAccess } from './context';
import { databaseAddress } from './database-address';
import type { Terminal } from './terminal';

/* Modules are loaded when they are used, not when this file is: Temporal's client alone takes longer than most commands. */
/* eslint-disable @typescript-eslint/no-require-imports */
const load = {
  client: () => require('@temporalio/client') as typeof ClientModule,
  connection: () => require('../../platform/temporal-connection') as typeof ConnectionModule,
  config: () => require('../../platform/config') as typeof ConfigModule,
  codec: () => require('../../platform/codec') as typeof CodecModule,
  hmac: () => require('../../platform/hmac') as typeof HmacModule,
  ledger: () => require('../../ledger') as typeof LedgerModule,
  logging: () => require('../../platform/logging') as typeof LoggingModule,
  registry: () => require('../../syncs') as typeof RegistryModule,
};
/* eslint-enable @typescript-eslint/no-require-imports */

const connectTimeoutMs = 5_000;

/** The context of this process's environment. */
export function openContext(terminal: Terminal, env: CliContext['env']): CliContext {
  const opened: { close(): Promise<void> }[] = [];
  const once = <T>(make: () => T): (() => T) => {
    let made: { value: T } | undefined;
    return () => (made ??= { value: make() }).value;
  };
  const config = once(() => configOf(env));
  return {
    terminal,
    env,
    ledger: once(async () => {
      const ledger = await openLedger(config(), env);
      opened.push(ledger);
      return ledger;
    }),
    temporal: once(async () => {
      const access = await openTemporal(env);
      opened.push(access.connection);
      return access;
    }),
    syncs: once((): readonly Sync[] => load.registry().syncs),
    tableSyncs: once((): readonly TableSync[] => load.registry().tableSyncs),
    keyHmacs: (key) => {
      const hmac = load.hmac().createKeyHmac(config().keySecrets);
      // Connectors write keys in their normal form, which for e-mail addresses is lower case.
      const forms = new Set([key, key.trim(), key.trim().toLowerCase()]);
      return [...new Set([...forms].flatMap((form) => hmac.all(form)))];
    },
    close: async () => {
      await Promise.allSettled(opened.splice(0).map((one) => one.close()));
    },
  };
}

function configOf(env: CliContext['env']): Config {
  return explained(() => load.config().loadConfig(env));
}

/** Configuration errors already say which variable and what was expected, and never a value. */
function explained<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    const problems = (error as { problems?: readonly string[] }).problems;
    if (!problems) throw error;
    throw new CliError({
      exitCode: exitCodes.usage,
      what: problems.every((problem) => problem.includes('is missing'))
        ? 'no sandbox runs in this folder, and the environment names no servers'
        : 'the environment is not usable',
      where: problems.join('; '),
      next: 'start a sandbox with `npm start` in this folder, or set the variables named',
    });
  }
}

async function openLedger(config: Config, env: CliContext['env']): Promise<Ledger> {
  const codec = load.codec().createCodec(config.codecKeys).bodies;
  const log = load.logging().createLog({ name: 'cli', level: env['SYNCLINE_LOG_LEVEL'] ? config.logLevel : 'silent' });
  const ledger = load.ledger().createLedger({ connectionString: config.databaseUrl, codec, log });
  try {
    await ledger.ping();
    return ledger;
  } catch (error) {
    await ledger.close().catch(() => undefined);
    throw unreachable('the database', databaseAddress(config.databaseUrl), error, 'SYNCLINE_DATABASE_URL');
  }
}

async function openTemporal(env: CliContext['env']): Promise<TemporalAccess & { connection: Connection }> {
  const settings = load.connection().connectionOptions(env);
  const { connection: options, namespace } = settings;
  const sdk = load.client();
  let connection: Connection;
  try {
    connection = await sdk.Connection.connect({ ...options, connectTimeout: connectTimeoutMs });
  } catch (error) {
    throw unreachable('Temporal', options.address, error, 'TEMPORAL_ADDRESS');
  }
  const { createCodec, dataConverter } = load.codec();
  const client: Client = new sdk.Client({ connection, namespace, dataConverter: dataConverter(createCodec(configCodecKeys(env))) });
  return { client, namespace, address: options.address, connection };
}

/** Histories can be read without the ledger's settings. */
function configCodecKeys(env: CliContext['env']): Config['codecKeys'] {
  const { readVariables, codecKeyVariable } = load.config();
  return explained(() => readVariables({ keys: codecKeyVariable }, { env }).keys);
}

function unreachable(what: string, address: string, error: unknown, variable: string): CliError {
  return new CliError({
    exitCode: exitCodes.unreachable,
    what: `${what} does not answer`,
    where: `${address} (${reasonOf(error)})`,
    expected: `a server at the address in ${variable}`,
    next: `start it (\`npm start\` for the sandbox), or correct ${variable}; \`npx syncline doctor\` checks everything`,
  });
}

function reasonOf(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string' && code !== '') return code;
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n')[0]?.slice(0, 160) ?? '';
}
