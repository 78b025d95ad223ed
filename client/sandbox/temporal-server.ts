import { setTimeout as delay } from 'node:timers/promises';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Connection } from '@temporalio/client';
import { freePort } from '../../platform/free-port';
import { type Child, startChild } from './child';
import type { Log } from './log';
import { noteOwner, waitForPredecessor } from './predecessor';

/** How to run the Temporal dev server. */
export interface TemporalServerOptions {
  /** From `findTemporalBinary`. */
  binary: string;
  /** gRPC port; 0 = any free one. */
  port: number;
  /** Web UI port; 0 = any free one, left out = no Web UI. */
  uiPort?: number;
  /** Prometheus port of the server itself. @default any free one */
  metricsPort?: number;
  /** SQLite file that keeps everything across restarts. @default in memory */
  dbFile?: string;
  /**
   * Lets timers and retries fire within 10 ms of their time instead of up to a second. Costs CPU: tests only.
   * @default false
   */
  fastTimers?: boolean;
  extraArgs?: readonly string[];
  log: Log;
}

/** A running Temporal dev server. */
export interface TemporalServer extends Child {
  /** `host:port` for clients and workers. */
  readonly address: string;
  readonly uiUrl?: string;
}

// Fairness orders the syncs inside a vendor's queue, and is exact only when a queue has one partition (design.md §7).
const DYNAMIC_CONFIG = [
  'matching.enableFairness=true',
  'matching.numTaskqueueReadPartitions=1',
  'matching.numTaskqueueWritePartitions=1',
  'frontend.WorkflowPauseEnabled=true',
];
const FAST_TIMERS = 'history.timerProcessorMaxTimeShift="10ms"';
const READY_TIMEOUT_MS = 60_000;

/** The server picks ports of its own for its inner services, and another program may take one before it listens. */
const ATTEMPTS = 3;

/** Starts the dev server and resolves once it answers calls on the default namespace. */
export async function startTemporal(options: TemporalServerOptions): Promise<TemporalServer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startServer(options);
    } catch (error) {
      if (attempt === ATTEMPTS || !/address already in use/.test((error as Error).message)) throw error;
    }
  }
}

async function startServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const port = options.port || (await freePort());
  const uiPort = options.uiPort === 0 ? await freePort() : options.uiPort;
  if (options.dbFile) {
    await mkdir(path.dirname(options.dbFile), { recursive: true });
    await waitForPredecessor(options.dbFile);
  }
  const child = await startChild({
    name: 'Temporal server',
    command: options.binary,
    args: serverArgs(options, port, uiPort),
    orphanGuard: 'watchdog',
    onLine: (line) => {
      if (/level=(ERROR|FATAL|error|fatal)/.test(line)) options.log(`Temporal server: ${line}`);
    },
  });
  if (options.dbFile) await noteOwner(options.dbFile, child.pid);
  const address = `127.0.0.1:${port}`;
  await ready(child, address);
  return { ...child, address, ...(uiPort === undefined ? {} : { uiUrl: `http://127.0.0.1:${uiPort}` }) };
}

/** The command line; exported for its test. */
export function serverArgs(options: TemporalServerOptions, port: number, uiPort: number | undefined): string[] {
  const config = options.fastTimers ? [...DYNAMIC_CONFIG, FAST_TIMERS] : DYNAMIC_CONFIG;
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--log-level', 'error'],
    ...(uiPort === undefined ? ['--headless'] : ['--ui-ip', '127.0.0.1', '--ui-port', String(uiPort)]),
    ...(options.metricsPort === undefined ? [] : ['--metrics-port', String(options.metricsPort)]),
    ...(options.dbFile === undefined ? [] : ['--db-filename', options.dbFile]),
    ...config.flatMap((setting) => ['--dynamic-config-value', setting]),
    ...(options.extraArgs ?? []),
  ];
}

async function ready(child: Child, address: string): Promise<void> {
  let ended = false;
  void child.exited.then(() => (ended = true));
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (!ended && Date.now() < deadline) {
    if (await answers(address)) return;
    await delay(50);
  }
  const how = ended ? 'ended while starting' : `did not answer at ${address} within ${READY_TIMEOUT_MS / 1000} s`;
  await child.kill();
  throw new Error(`The Temporal server ${how}. Its last words:\n${child.lastLines() || '(none)'}`);
}

/** The port opens before the default namespace exists, so the namespace is what is asked for. */
async function answers(address: string): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: '2s' }).catch(() => undefined);
  if (!connection) return false;
  try {
    await connection.withDeadline(Date.now() + 2000, () => connection.workflowService.describeNamespace({ namespace: 'default' }));
    return true;
  } catch {
    return false;
  } finally {
    await connection.close();
  }
}
