import { ConfigError, countVariable, loadConfig, portVariable, readVariables } from './config';

const usable = {
  SYNCLINE_DATABASE_URL: 'postgres://user:hunter2@localhost:5432/syncline',
  SYNCLINE_KEY_SECRET: 'a-secret-of-some-length, an-older-secret-of-some-length',
};

function problemsOf(work: () => unknown): string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return [...error.problems];
    throw error;
  }
  return [];
}

describe('loadConfig', () => {
  test('reads everything, with defaults', () => {
    const config = loadConfig(usable);
    expect(config).toMatchObject({
      mode: 'real',
      databaseUrl: usable.SYNCLINE_DATABASE_URL,
      codecKeys: [],
      logLevel: 'info',
    });
    expect(config.keySecrets).toEqual(['a-secret-of-some-length', 'an-older-secret-of-some-length']);
  });

  test('reads codec keys, base64 and hex', () => {
    const key = Buffer.alloc(32, 7);
    const config = loadConfig({ ...usable, SYNCLINE_CODEC_KEY: `${key.toString('base64')},${'0a'.repeat(32)}` });
    expect(config.codecKeys.map((found) => found.bytes.toString('hex'))).toEqual([key.toString('hex'), '0a'.repeat(32)]);
  });

  test('all problems at once, each with its variable and what was expected', () => {
    const problems = problemsOf(() =>
      loadConfig({
        SYNCLINE_DATABASE_URL: 'mysql://root:hunter2@db',
        SYNCLINE_CODEC_KEY: 'hunter2',
        SYNCLINE_LOG_LEVEL: 'loud',
      }),
    );
    expect(problems).toEqual([
      'SYNCLINE_DATABASE_URL is not usable; expected a PostgreSQL address, e.g. postgres://user:password@localhost:5432/syncline',
      'SYNCLINE_KEY_SECRET is missing; expected secrets of at least 16 characters, with a comma between, newest first (openssl rand -base64 32)',
      'SYNCLINE_CODEC_KEY is not usable; expected keys of 32 bytes in base64 or hex, with a comma between, the one to encrypt with first (openssl rand -base64 32)',
      'SYNCLINE_LOG_LEVEL is not usable; expected one of trace, debug, info, warn, error, fatal, silent; info when unset',
    ]);
  });

  test('never prints a value', () => {
    const message = new ConfigError(problemsOf(() => loadConfig({ SYNCLINE_DATABASE_URL: 'hunter2', SYNCLINE_KEY_SECRET: 'hunter2' }))).message;
    expect(message).toContain('SYNCLINE_KEY_SECRET is not usable');
    expect(message).not.toContain('hunter2');
  });

  test('an unknown mode is a problem like the others', () => {
    expect(problemsOf(() => loadConfig({ ...usable, SYNCLINE_MODE: 'prod' }))).toEqual([
      'SYNCLINE_MODE is not usable; expected "sandbox" or "real" (the default)',
    ]);
  });

  test('the sandbox brings its own key secret, which real mode refuses', () => {
    const { SYNCLINE_DATABASE_URL } = usable;
    const [secret = ''] = loadConfig({ SYNCLINE_MODE: 'sandbox', SYNCLINE_DATABASE_URL }).keySecrets;
    expect(secret).toBe('sandbox-key-secret');
    expect(problemsOf(() => loadConfig({ SYNCLINE_DATABASE_URL, SYNCLINE_KEY_SECRET: secret }))).toEqual([
      expect.stringContaining('SYNCLINE_KEY_SECRET holds a sandbox secret'),
    ]);
  });
});

test('ports and counts', () => {
  const variables = { port: portVariable('PORT', 8080), limit: countVariable('LIMIT', 5) };
  expect(readVariables(variables, { env: {} })).toEqual({ port: 8080, limit: 5 });
  expect(readVariables(variables, { env: { PORT: '0', LIMIT: '12' } })).toEqual({ port: 0, limit: 12 });
  expect(problemsOf(() => readVariables(variables, { env: { PORT: '70000', LIMIT: '0' } }))).toEqual([
    'PORT is not usable; expected a port from 0 (any free one) to 65535; 8080 when unset',
    'LIMIT is not usable; expected a whole number of at least 1; 5 when unset',
  ]);
  expect(problemsOf(() => readVariables(variables, { env: { PORT: '-1', LIMIT: 'x' } }))).toHaveLength(2);
});
