import Ajv from 'ajv';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { createProgram } from '../../client/cli/program';
import { sandboxSecrets } from '../../client/sandbox/environment';
import { searchAttributes } from '../../client/sandbox/namespace';
import { simulatorsFor } from '../../client/sandbox/simulators';
import { serverArgs } from '../../client/sandbox/temporal-server';
import { loadConfig } from '../../platform/config';
import { syncs } from '../../syncs';

/* No container engine runs where the tests do: this keeps the files for one valid all the same. */

const root = path.resolve(__dirname, '../..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const there = (file: string) => existsSync(path.join(root, file));

interface Service {
  image: string;
  build?: string;
  command?: string[];
  entrypoint?: string[];
  env_file?: string;
  environment?: Record<string, string>;
  volumes?: string[];
  ports?: string[];
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
  restart?: string;
}
const composeText = read('docker-compose.yml');
const compose = parse(composeText, { merge: true }) as { services: Record<string, Service>; volumes: Record<string, unknown> };
const services = Object.entries(compose.services);
const oursNames = ['gateway', 'worker', 'hubspot-simulator', 'leadscore-simulator'];

/** `${NAME:-default}` as with nothing set. */
const interpolated = (text: string) => text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');
const envFile = (file: string) =>
  Object.fromEntries(
    read(file)
      .split('\n')
      .filter((line) => /^[A-Z]/.test(line))
      .map((line) => line.split(/=(.*)/s) as [string, string]),
  );

describe('docker-compose.yml', () => {
  test('fits the Compose specification', () => {
    const schemaFile = path.join(path.dirname(require.resolve('dclint/package.json')), 'schemas/compose.schema.json');
    const { $schema: _dialect, ...schema } = JSON.parse(readFileSync(schemaFile, 'utf8')) as Record<string, unknown>;
    const validate = new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(schema);
    validate(compose);
    expect(validate.errors ?? []).toEqual([]);
    // And the check can fail.
    expect(validate({ services: { gateway: { image: 'syncline', comand: ['gateway'] } } })).toBe(false);
  });

  test.each(services)('%s: the image is pinned to a version', (_, { image }) => {
    expect(image).toMatch(/^[\w./-]+:\d+\.\d+[\w.-]*$/);
  });

  test('Temporal’s server and tools are of one version', () => {
    const version = (name: string) => compose.services[name]?.image.split(':')[1];
    expect(new Set([version('temporal'), version('temporal-schema'), version('temporal-namespace')]).size).toBe(1);
  });

  test.each(services)('%s has a health check, or runs once and is waited for', (name, { healthcheck, restart }) => {
    if (healthcheck) return expect(healthcheck.test[0]).toMatch(/^CMD/);
    expect(restart).toMatch(/^on-failure/);
    expect(services.some(([, { depends_on }]) => depends_on?.[name]?.condition === 'service_completed_successfully')).toBe(true);
  });

  test.each(services)('%s waits for services that exist, in a way they can fulfil', (_, { depends_on = {} }) => {
    for (const [name, { condition }] of Object.entries(depends_on)) {
      const needed = compose.services[name];
      expect(needed).toBeDefined();
      expect(condition).toBe(needed?.healthcheck ? 'service_healthy' : 'service_completed_successfully');
    }
  });

  test.each(services)('%s: what it mounts, reads and builds is there', (_, { volumes = [], env_file, build }) => {
    for (const volume of volumes) {
      const [source = ''] = volume.split(':');
      if (source.startsWith('.')) expect([source, there(source)]).toEqual([source, true]);
      else expect(Object.keys(compose.volumes)).toContain(source);
    }
    if (env_file) expect(there(interpolated(env_file))).toBe(true);
    if (build) expect(there(path.join(build, 'Dockerfile'))).toBe(true);
  });

  test('every port is published on the loopback address unless told otherwise', () => {
    const published = services.flatMap(([, { ports = [] }]) => ports).map(interpolated);
    expect(published.filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port))).toEqual([]);
    const hosts = published.map((port) => port.split(':')[1]);
    expect(new Set(hosts).size).toBe(hosts.length);
  });

  test('every variable it takes is named in its head', () => {
    const head = composeText.slice(0, composeText.indexOf('\nname:'));
    const used = new Set([...composeText.matchAll(/\$\{(\w+)/g)].map(([, name]) => name ?? ''));
    expect([...used].filter((name) => !head.includes(name))).toEqual([]);
  });

  test('gateway and worker are commands of the command line', () => {
    const commands = createProgram(() => Promise.resolve()).commands.map((command) => command.name());
    for (const name of ['gateway', 'worker']) expect(commands).toContain(compose.services[name]?.command?.[0]);
  });

  test('simulators are started from files of the build', () => {
    for (const name of oursNames.filter((one) => one.endsWith('-simulator'))) {
      const { entrypoint = [], command = [] } = compose.services[name] ?? {};
      const file = entrypoint.at(-1) ?? '';
      expect(there(file.replace(/^dist\//, '').replace(/\.js$/, '.ts'))).toBe(true);
      const vendor = command[command.indexOf('--vendor') + 1];
      const spec = simulatorsFor(syncs).find((one) => one.vendor === vendor);
      // As `npm start` starts it, properties included; host and port are the container's own.
      expect(command.filter((word, at) => !/^--(host|port)$/.test(word) && !/^--(host|port)$/.test(command[at - 1] ?? ''))).toEqual(spec?.args);
    }
  });
});

describe('settings', () => {
  const known = sourceVariables();

  test.each(['docker/sandbox.env', 'docker/real.env.example'])('%s: every variable is one that the code reads', (file) => {
    const accounts = new Set(accountVariables());
    const unknown = Object.keys(envFile(file))
      .map((name) => name.replace(/_FILE$/, ''))
      .filter((name) => !known.has(name) && !accounts.has(name));
    expect(unknown).toEqual([]);
  });

  test.each(services.filter(([name]) => oursNames.includes(name)))('%s: so is every variable it is given', (_, { environment = {} }) => {
    expect(Object.keys(environment).filter((name) => !known.has(name))).toEqual([]);
  });

  test('the sandbox has the secrets of `npm start`, and they make a usable configuration', () => {
    const env = envFile('docker/sandbox.env');
    expect(env).toMatchObject(Object.fromEntries(sandboxSecrets(syncs).map(({ variable, value }) => [variable, value])));
    const database = interpolated(compose.services['gateway']?.environment?.['SYNCLINE_DATABASE_URL'] ?? '');
    expect(loadConfig({ ...env, SYNCLINE_DATABASE_URL: database }).mode).toBe('sandbox');
  });

  test('simulators are called where they listen', () => {
    const urls = Object.entries(envFile('docker/sandbox.env')).filter(([name]) => name.endsWith('_BASE_URL'));
    for (const [, value] of urls) {
      const { hostname, port } = new URL(value);
      expect(compose.services[hostname]?.command).toContain(port);
    }
  });

  test('a real installation is asked for the secrets of every account', () => {
    const names = Object.keys(envFile('docker/real.env.example')).map((name) => name.replace(/_FILE$/, ''));
    expect(names).toEqual(expect.arrayContaining(sandboxSecrets(syncs).map(({ variable }) => variable)));
  });
});

describe('the Temporal server', () => {
  test('has our search attributes', () => {
    const made = Object.fromEntries([...read('docker/temporal/namespace.sh').matchAll(/^ {2}(\w+)=(Keyword\w*)[; ]/gm)].map(([, name, type]) => [name, type]));
    expect(made).toEqual(searchAttributes);
  });

  test('has the settings of the sandbox’s', () => {
    const args = serverArgs({ binary: '', port: 1, log: () => undefined }, 1, undefined);
    const settings = args.filter((_, at) => args[at - 1] === '--dynamic-config-value').map((setting) => setting.split('='));
    const config = parse(read('docker/temporal/dynamicconfig.yaml')) as Record<string, { value: unknown }[]>;
    expect(Object.entries(config).map(([name, [first]]) => [name, String(first?.value)])).toEqual(settings);
  });
});

describe('Dockerfile', () => {
  const steps = read('Dockerfile')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const of = (instruction: string) => steps.filter((line) => line.startsWith(`${instruction} `)).map((line) => line.slice(instruction.length + 1));
  const stages = of('FROM').map((line) => / AS (\w+)$/i.exec(line)?.[1]);
  const copies = of('COPY').map((line) => {
    const words = line.split(/\s+/);
    const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
    const paths = words.filter((word) => !word.startsWith('--'));
    return { from, sources: paths.slice(0, -1) };
  });

  test('base images are pinned', () => {
    for (const image of of('FROM')) expect(image).toMatch(/^node:20\.\d+\.\d+-bookworm-slim/);
  });

  test('what is copied from the checkout is there, and not left out by .dockerignore', () => {
    const kept = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    for (const source of copies.filter(({ from }) => from === undefined).flatMap(({ sources }) => sources)) {
      expect([source, there(source)]).toEqual([source, true]);
      expect([source, kept.some((pattern) => source.startsWith(pattern))]).toEqual([source, true]);
    }
  });

  test('everything that the build compiles is copied', () => {
    const { include } = JSON.parse(read('tsconfig.build.json')) as { include: string[] };
    const copied = copies.filter(({ from }) => from === undefined).flatMap(({ sources }) => sources);
    expect(include.filter((folder) => !copied.includes(`${folder}/`))).toEqual([]);
  });

  test('stages copied from exist', () => {
    for (const { from } of copies) if (from !== undefined) expect(stages).toContain(from);
  });

  test('runs as an ordinary user, with an init, a health check and a command of the command line', () => {
    expect(of('USER').at(-1)).toBe('node');
    expect(of('HEALTHCHECK')).toHaveLength(1);
    const json = (instruction: string) => JSON.parse(of(instruction).at(-1) ?? '[]') as string[];
    expect(json('ENTRYPOINT')).toEqual(['tini', '--', 'node', 'bin/syncline.js']);
    expect(createProgram(() => Promise.resolve()).commands.map((command) => command.name())).toContain(json('CMD')[0]);
  });
});

/** Names of variables as they stand in the code, tests left out. */
function sourceVariables(): Set<string> {
  const names = new Set<string>();
  const visit = (folder: string): void => {
    for (const name of readdirSync(folder)) {
      const file = path.join(folder, name);
      if (statSync(file).isDirectory()) visit(file);
      else if (name.endsWith('.ts') && !name.endsWith('.test.ts'))
        for (const [found] of readFileSync(file, 'utf8').matchAll(/\b(SYNCLINE|GATEWAY|TEMPORAL)_[A-Z_]+\b/g)) names.add(found);
    }
  };
  for (const folder of ['platform', 'client', 'workers']) visit(path.join(root, folder));
  return names;
}

/** Variables whose names come from accounts.ts. */
function accountVariables(): string[] {
  const destinations = syncs.flatMap(({ to, enrich }) => [to.account, ...(enrich ? [enrich.account] : [])]);
  const baseUrls = destinations.map(({ connector, name }) => `SYNCLINE_${connector.vendor}_${name}_BASE_URL`.toUpperCase().replaceAll('-', '_'));
  return [...sandboxSecrets(syncs).map(({ variable }) => variable), ...baseUrls];
}
