import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Environment } from '../../platform/secrets';
import type { Sync } from '../../syncs/define-sync';
import type { TableSync } from '../../syncs/define-table-sync';
import type { Child } from './child';
import { sandboxEnvironment, withoutRealSettings } from './environment';
import { keepRunning, type Kept } from './keep-running';
import type { Log } from './log';
import { ensureDatabase, startPostgres } from './postgres';
import { createProcessLogs, type ProcessLogs } from './process-log';
import { createSupervisor, type NodeProcess, type Supervisor } from './processes';
import type { SandboxPorts } from './service-ports';
import { type SimulatorControl, simulatorControl, simulatorsFor, type SimulatorSpec } from './simulators';
import { prepareTemporal } from './temporal-ready';
import { findTemporalBinary } from './temporal-binary';
import { startTemporal } from './temporal-server';
import { sandboxWarehouses, type SandboxWarehouse } from './warehouses';

export interface SandboxOptions {
  syncs: readonly Sync[];
  tableSyncs: readonly TableSync[];
  /** Databases and logs. */
  folder: string;
  ports: SandboxPorts;
  /** Kept for the next start, with a Web UI; else in memory as far as possible, without. */
  lasting: boolean;
  /** The user's environment. */
  env: Environment;
  /** News while it runs, one line each. */
  log: Log;
  /** Runs one step of the start; shows its name and how long it took. */
  step: <T>(name: string, work: () => Promise<T>) => Promise<T>;
}

/** The whole product as processes of this machine, with simulated vendors. */
export interface Sandbox {
  /** Variables under which other programs reach it. */
  readonly env: Record<string, string>;
  readonly gatewayUrl: string;
  readonly metricsUrl: string;
  readonly webUiUrl?: string;
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly simulators: ReadonlyMap<string, SimulatorControl>;
  readonly warehouses: readonly SandboxWarehouse[];
  readonly logFolder: string;
  /** The process to kill for the demonstration. */
  readonly workerPid: () => number;
}

/** A sandbox that may still be starting: everything started so far can be ended at any time. */
export interface SandboxHandle {
  started: Promise<Sandbox>;
  /** In order: what is in flight is finished and booked. */
  stop(): Promise<void>;
  kill(): Promise<void>;
}

/** Starts a sandbox. What ends unasked later is started again. */
export function startSandbox(options: SandboxOptions): SandboxHandle {
  const closing = new AbortController();
  const supervisor = createSupervisor();
  let logs: ProcessLogs | undefined;
  const started = mkdir(options.folder, { recursive: true }).then(() => {
    logs = createProcessLogs(path.join(options.folder, 'logs'), options.log);
    return startAll(options, supervisor, logs, closing.signal);
  });
  started.catch(() => undefined); // whoever stops a start that is under way no longer waits for it
  const end = async (how: () => Promise<void>) => {
    closing.abort();
    await how();
    await logs?.close();
  };
  return { started, stop: () => end(() => supervisor.stopAll()), kill: () => end(() => supervisor.killAll()) };
}

async function startAll(options: SandboxOptions, supervisor: Supervisor, logs: ProcessLogs, closing: AbortSignal): Promise<Sandbox> {
  const { syncs, tableSyncs, folder, lasting, step, log } = options;
  const { services, simulators: simulatorPorts } = options.ports;
  const keep = <C extends Child>(start: () => Promise<C>): Promise<Kept<C>> => keepRunning(async () => supervisor.add(await start()), { log, closing });
  const node = (name: string, entry: string, env: Record<string, string>, args: string[] = []): Promise<Kept<NodeProcess>> => {
    const processLog = logs.of(name);
    return keepRunning(
      () => supervisor.spawnNode({ name, entry, args, env: { ...withoutRealSettings(options.env), ...noProfiles(folder), ...env }, log: processLog }),
      { log, closing },
    );
  };

  const database = step('PostgreSQL', () =>
    keep(() => startPostgres({ dataDir: path.join(folder, 'postgres'), port: services.postgres, fsync: lasting, log })),
  );
  const temporal = step('Temporal server', async () => {
    const binary = await findTemporalBinary({ log, env: options.env });
    const server = await keep(() =>
      startTemporal({
        binary,
        port: services.temporal,
        ...(lasting
          ? {
              dbFile: path.join(folder, 'temporal.db'),
              uiPort: services.webUi,
              extraArgs: ['--ui-codec-endpoint', `http://127.0.0.1:${services.codec}`],
            }
          : {}),
        log,
      }),
    );
    await prepareTemporal(server.current().address);
    return server;
  });
  const simulate = (spec: SimulatorSpec) =>
    node(`simulator-${spec.vendor}`, 'connectors/simulate.ts', {}, [...spec.args, '--port', String(simulatorPorts[spec.vendor] ?? 0)]);
  const specs = simulatorsFor([...syncs, ...tableSyncs]);
  const simulators = step(`simulators: ${specs.map(({ vendor }) => vendor).join(', ')}`, () => Promise.all(specs.map(simulate)));

  const [postgres, temporalServer, simulated] = await Promise.all([database, temporal, simulators]);
  const simulatorUrls = Object.fromEntries(specs.map(({ vendor }, index) => [vendor, String(simulated[index]?.current().ready['url'])]));
  const webUiUrl = temporalServer.current().uiUrl;
  const databaseUrl = postgres.current().url;
  const warehouses = sandboxWarehouses(tableSyncs, { databaseUrl, folder, env: options.env });
  for (const { database: name } of warehouses) if (name !== undefined) await ensureDatabase(databaseUrl, name);
  const env = sandboxEnvironment(syncs, tableSyncs, {
    databaseUrl,
    warehouses,
    temporalAddress: temporalServer.current().address,
    simulators: simulatorUrls,
    ...(webUiUrl === undefined ? {} : { webUiUrl }),
  });

  const gatewayEnv = { ...env, GATEWAY_PORT: String(services.gateway) };
  const gateway = step('gateway', () => node('gateway', 'client/gateway/main.ts', gatewayEnv));
  const worker = step('worker', () => node('worker', 'workers/main.ts', { ...env, SYNCLINE_METRICS_PORT: String(services.metrics) }));
  const codecEnv = { ...env, SYNCLINE_CODEC_PORT: String(services.codec), SYNCLINE_CODEC_ORIGINS: originsOf(services.webUi) };
  const codec = lasting ? step('codec endpoint for the Web UI', () => node('codec', 'client/codec/main.ts', codecEnv)) : undefined;
  const [door, work] = await Promise.all([gateway, worker, codec]);
  return {
    env,
    gatewayUrl: String(door.current().ready['url']),
    metricsUrl: String(work.current().ready['url']),
    ...(webUiUrl === undefined ? {} : { webUiUrl }),
    databaseUrl,
    temporalAddress: temporalServer.current().address,
    warehouses,
    simulators: new Map(Object.entries(simulatorUrls).map(([vendor, url]) => [vendor, simulatorControl(url)])),
    logFolder: logs.folder,
    workerPid: () => work.current().pid,
  };
}

/** A `temporal.toml` of the user's must not redirect the sandbox to a real server. */
function noProfiles(folder: string): Record<string, string> {
  return { TEMPORAL_CONFIG_FILE: path.join(folder, 'no-temporal.toml') };
}

function originsOf(port: number): string {
  return `http://localhost:${port},http://127.0.0.1:${port}`;
}
