import { execFile } from 'node:child_process';
import { chown, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { freePort } from '../../platform/free-port';
import { type Child, startChild } from './child';
import type { Log } from './log';
import { dataFolder, type DatabaseUser, databaseUser, postgresBinaries } from './postgres-files';

/** How to run the sandbox's PostgreSQL. */
export interface PostgresOptions {
  /** Kept across restarts; made when missing. */
  dataDir: string;
  /** 0 = any free one. */
  port: number;
  /** False loses data when the machine crashes (not when a process does), and is faster: tests only. @default true */
  fsync?: boolean;
  /** Made when missing. @default syncline */
  database?: string;
  log: Log;
}

/** A running PostgreSQL. */
export interface PostgresServer extends Child {
  /** A connection string for a superuser, fixed password included: it listens on the loopback address only. */
  readonly url: string;
  /** Where the data really is: not always the folder asked for, see {@link dataFolder}. */
  readonly dataDir: string;
}

/** Fixed, as all secrets of the sandbox are (design.md §11). */
const USER = 'syncline';
const PASSWORD = 'syncline';
const READY_TIMEOUT_MS = 60_000;
/** An earlier sandbox that was killed takes a few seconds to end its database (watchdog.ts). */
const PREDECESSOR_TIMEOUT_MS = 15_000;

/** Starts PostgreSQL on 127.0.0.1 and resolves once `database` takes connections. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const { log, database = 'syncline' } = options;
  const user = await databaseUser();
  const binaries = await postgresBinaries(user);
  const dataDir = await dataFolder(path.resolve(options.dataDir), user);
  if (dataDir !== path.resolve(options.dataDir)) log(`PostgreSQL cannot reach ${options.dataDir} as an unprivileged user; its data is in ${dataDir}`);
  await initialise(binaries, dataDir, user, options);
  await makeWay(dataDir);
  const { child, url } = await launch(binaries, dataDir, user, options);
  try {
    await ready(child, url('postgres'));
    await ensureDatabase(url('postgres'), database);
  } catch (error) {
    await child.kill();
    throw error;
  }
  return { ...child, url: url(database), dataDir };
}

/** initdb into a folder beside it, then a rename: a start that was interrupted leaves nothing half made. */
async function initialise(binaries: string, dataDir: string, user: DatabaseUser | undefined, { fsync, log }: PostgresOptions): Promise<void> {
  const version = await readFile(path.join(dataDir, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (version !== undefined) return checkVersion(binaries, dataDir, version.trim());
  log('PostgreSQL: making a new database cluster');
  await mkdir(path.dirname(dataDir), { recursive: true });
  const fresh = await mkdtemp(`${dataDir}.new-`);
  try {
    const passwordFile = path.join(fresh, 'password');
    const cluster = path.join(fresh, 'cluster');
    await writeFile(passwordFile, PASSWORD);
    if (user) await Promise.all([fresh, passwordFile].map((file) => chown(file, user.uid, user.gid)));
    // The builtin provider sorts and folds alike on every system, whatever locales are installed.
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const args = [`--pgdata=${cluster}`, `--username=${USER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', ...locale];
    if (fsync === false) args.push('--no-sync');
    await promisify(execFile)(path.join(binaries, 'bin', 'initdb'), args, { ...user, cwd: '/', env: { ...process.env, LC_ALL: 'C' } });
    await rename(cluster, dataDir);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function checkVersion(binaries: string, dataDir: string, version: string): Promise<void> {
  const { stdout } = await promisify(execFile)(path.join(binaries, 'bin', 'postgres'), ['--version']);
  const ours = /\d+/.exec(stdout)?.[0];
  if (version !== ours) {
    throw new Error(
      `${dataDir} was made by PostgreSQL ${version}, and the sandbox has ${ours}. Move it away to start afresh, or dump it with the old version.`,
    );
  }
}

/**
 * After a kill -9 `postmaster.pid` stays behind. PostgreSQL removes it unless some process has that id by now, whatever
 * it is; so look whether a database answers on the port written there, wait for one that is on its way out, and remove
 * the file when none does.
 */
async function makeWay(dataDir: string): Promise<void> {
  const file = path.join(dataDir, 'postmaster.pid');
  const deadline = Date.now() + PREDECESSOR_TIMEOUT_MS;
  for (;;) {
    const [pid, , , port] = (await readFile(file, 'utf8').catch(() => '')).split('\n');
    if (!pid || !isAlive(Number(pid))) return;
    if (!(await isDatabase(Number(port)))) return rm(file, { force: true });
    if (Date.now() > deadline)
      throw new Error(`PostgreSQL already runs on ${dataDir} (process ${pid}, port ${port}): is another sandbox running? Stop it first.`);
    await delay(250);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function launch(
  binaries: string,
  dataDir: string,
  user: DatabaseUser | undefined,
  options: PostgresOptions,
): Promise<{ child: Child; url: (database: string) => string }> {
  const port = options.port || (await freePort());
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '', // nothing in /tmp, and no clash with a PostgreSQL that is installed
    max_connections: '200',
    timezone: 'UTC',
    log_timezone: 'UTC',
    jit: 'off', // our statements are short: compiling them costs more than it saves
    ...(options.fsync === false ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
  };
  const child = await startChild({
    name: 'PostgreSQL',
    command: path.join(binaries, 'bin', 'postgres'),
    args: ['-D', dataDir, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    spawn: { ...user, cwd: '/', env: { ...process.env, LC_ALL: 'C' } },
    stopSignal: 'SIGINT', // "fast shutdown": open connections are ended, data is safe
    orphanGuard: 'watchdog',
    onLine: (line) => {
      if (/ PANIC: /.test(line)) options.log(`PostgreSQL: ${line}`);
    },
  });
  return { child, url: (database) => `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${database}` };
}

async function ready(child: Child, url: string): Promise<void> {
  let ended = false;
  void child.exited.then(() => (ended = true));
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (!ended && Date.now() < deadline) {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 2000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await client.end();
    } catch {
      await delay(30);
    }
  }
  const how = ended ? 'ended while starting' : `took no connection within ${READY_TIMEOUT_MS / 1000} s`;
  throw new Error(`PostgreSQL ${how}. Its last words:\n${child.lastLines() || '(none)'}`);
}

export async function ensureDatabase(url: string, database: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
    if (!rowCount) await client.query(`CREATE DATABASE ${client.escapeIdentifier(database)}`);
  } finally {
    await client.end();
  }
}

/** True when a PostgreSQL of ours answers on the port, if only to say that it is starting up or shutting down. */
async function isDatabase(port: number): Promise<boolean> {
  const client = new Client({ host: '127.0.0.1', port, user: USER, password: PASSWORD, database: 'postgres', connectionTimeoutMillis: 2000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.end();
    return true;
  } catch (error) {
    return (error as { code?: string }).code?.startsWith('57P') ?? false;
  }
}
