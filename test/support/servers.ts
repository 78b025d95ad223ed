import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Connection } from '@temporalio/client';
import { Client } from 'pg';
import { prepareNamespace } from '../../client/sandbox/namespace';
import { type PostgresServer, startPostgres } from '../../client/sandbox/postgres';
import { findTemporalBinary, findTestServerBinary } from '../../client/sandbox/temporal-binary';
import { startTemporal, type TemporalServer } from '../../client/sandbox/temporal-server';

/** Where the servers that jest's global setup started can be reached. */
export interface TestServers {
  postgresUrl: string;
  temporalAddress: string;
}

/** The servers of this test run; fails with the reason when the jest project does not start them. */
export function testServers(): TestServers {
  return { postgresUrl: fromSetup('SYNCLINE_TEST_POSTGRES_URL'), temporalAddress: fromSetup('SYNCLINE_TEST_TEMPORAL_ADDRESS') };
}

/** The time-skipping server's program, for `TestWorkflowEnvironment.createTimeSkipping`. */
export function testServerBinary(): string {
  return fromSetup('SYNCLINE_TEST_SERVER_PATH');
}

function fromSetup(variable: string): string {
  const value = process.env[variable];
  if (!value) throw new Error(`${variable} is not set: the jest project of this test needs a globalSetup from test/support/`);
  return value;
}

/** An empty database of its own. `drop` ends connections that a test left open. */
export async function createTestDatabase(name = 'test'): Promise<{ url: string; drop(): Promise<void> }> {
  const server = fromSetup('SYNCLINE_TEST_POSTGRES_URL');
  const database = unique(name);
  const run = async (sql: string) => {
    const client = new Client({ connectionString: server });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  await run(`CREATE DATABASE "${database}" STRATEGY = WAL_LOG`); // the quicker way to copy a small template
  const url = new URL(server);
  url.pathname = `/${database}`;
  return { url: url.href, drop: () => run(`DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`) };
}

/**
 * A namespace of its own with our search attributes, on the shared dev server: ids, queues and counts of two tests do
 * not meet. Takes about a second, the time in which a server learns of a new namespace: make one per file.
 */
export async function createTestNamespace(name = 'test'): Promise<{ namespace: string; address: string }> {
  const address = fromSetup('SYNCLINE_TEST_TEMPORAL_ADDRESS');
  const namespace = unique(name);
  const connection = await Connection.connect({ address });
  await prepareNamespace(connection, { namespace }).finally(() => connection.close());
  return { namespace, address };
}

function unique(name: string): string {
  return `${name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 30)}-${randomUUID().slice(0, 8)}`;
}

interface Running {
  postgres?: Promise<PostgresServer>;
  temporal?: Promise<TemporalServer>;
  testServer?: Promise<string>;
  folders: string[];
}

// Jest may load this file once per project, in one parent process: what runs is kept where every copy finds it.
const globals = globalThis as { [key: symbol]: Running | undefined };
const KEY = Symbol.for('syncline.test.servers');
const running = (): Running => (globals[KEY] ??= { folders: [] });

// To stderr: jest writes its report there too, and stdout may carry JSON.
const log = (line: string) => void process.stderr.write(`${line}\n`);

/** Starts PostgreSQL unless it runs already, and tells the test processes where. For global setups only. */
export async function ensurePostgres(): Promise<void> {
  const start = async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'syncline-test-'));
    running().folders.push(folder);
    if (process.getuid?.() === 0) await chmod(folder, 0o755); // then it is not root who runs PostgreSQL and must get in
    // Ctrl-C ends jest without its teardown. The servers' watchdogs end them; the folder would stay.
    process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
    return startPostgres({ dataDir: path.join(folder, 'postgres'), port: 0, fsync: false, log: quiet });
  };
  const { url } = await (running().postgres ??= start());
  process.env.SYNCLINE_TEST_POSTGRES_URL = url;
}

/** Starts a Temporal dev server in memory, timers exact to 10 ms, unless it runs already. For global setups only. */
export async function ensureTemporal(): Promise<void> {
  const start = async () => startTemporal({ binary: await findTemporalBinary({ log }), port: 0, fastTimers: true, log });
  const { address } = await (running().temporal ??= start());
  process.env.SYNCLINE_TEST_TEMPORAL_ADDRESS = address;
}

/** Finds or fetches the time-skipping server's program; each test file starts its own. For global setups only. */
export async function ensureTestServer(): Promise<void> {
  process.env.SYNCLINE_TEST_SERVER_PATH = await (running().testServer ??= findTestServerBinary({ log }));
}

/** Ends whatever runs and removes its files; harmless when called again. */
export async function stopTestServers(): Promise<void> {
  const { postgres, temporal, folders } = running();
  globals[KEY] = undefined;
  // One that failed to start has been reported by its setup, and leaves nothing to stop. Neither has data to save.
  for (const server of [temporal, postgres]) await (await server?.catch(() => undefined))?.kill();
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
}

function quiet(): void {
  // Making a cluster takes a second: nobody needs to be told.
}
