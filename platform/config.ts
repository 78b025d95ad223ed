import { z } from 'zod';
import { type CodecKey, parseCodecKeys } from './codec-keys';
import { type LogLevel, logLevels } from './logging';
import { createSecrets, type Environment, type Mode, modeOf, sandboxSecret, SecretError, type Secrets } from './secrets';

/** Every problem of the environment at once: variable, what is wrong, what was expected. Never a value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly problems: readonly string[]) {
    super(`The configuration is not usable:\n${problems.map((problem) => `- ${problem}`).join('\n')}`);
  }
}

/** One variable of the environment: how it is checked, and what to say when it doesn't fit. */
export interface Variable<T> {
  name: string;
  /** Gets the text, or undefined when the variable is not set. */
  schema: z.ZodType<T>;
  /** Completes "expected …". */
  expected: string;
  /** `NAME_FILE` works too, and the sandbox's values are refused in real mode. */
  secret?: boolean;
}

type Values<S> = { [K in keyof S]: S[K] extends Variable<infer T> ? T : never };

/** Reads and checks a set of variables; throws one `ConfigError` with every problem. */
export function readVariables<S extends Record<string, Variable<unknown>>>(variables: S, options: { env?: Environment; secrets?: Secrets } = {}): Values<S> {
  const env = options.env ?? process.env;
  const secrets = options.secrets ?? createSecrets({ env });
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, variable] of Object.entries(variables)) {
    try {
      const text = variable.secret ? secrets.optional(variable.name) : env[variable.name] || undefined;
      const parsed = variable.schema.safeParse(text);
      if (parsed.success) values[key] = parsed.data;
      else problems.push(`${variable.name} is ${text === undefined ? 'missing' : 'not usable'}; expected ${variable.expected}`);
    } catch (error) {
      if (!(error instanceof SecretError)) throw error;
      problems.push(error.message);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return values as Values<S>;
}

/** A port; 0 lets the system choose. */
export function portVariable(name: string, fallback: number): Variable<number> {
  return {
    name,
    schema: z.string().regex(/^\d+$/).default(String(fallback)).transform(Number).pipe(z.number().max(65_535)),
    expected: `a port from 0 (any free one) to 65535; ${fallback} when unset`,
  };
}

/** A whole number of at least 1. */
export function countVariable(name: string, fallback: number): Variable<number> {
  return {
    name,
    schema: z.string().regex(/^\d+$/).default(String(fallback)).transform(Number).pipe(z.number().min(1)),
    expected: `a whole number of at least 1; ${fallback} when unset`,
  };
}

/** Text with a default. */
export function textVariable(name: string, fallback: string): Variable<string> {
  return { name, schema: z.string().default(fallback), expected: `text; ${fallback} when unset` };
}

/** What every process that touches records needs. */
export interface Config {
  mode: Mode;
  databaseUrl: string;
  /** For `createKeyHmac`; newest first. */
  keySecrets: string[];
  /** For `createCodec`; empty = payloads are not encrypted. */
  codecKeys: CodecKey[];
  logLevel: LogLevel;
  /** For secrets that are looked up later, by account. */
  secrets: Secrets;
}

export const logLevelVariable: Variable<LogLevel> = {
  name: 'SYNCLINE_LOG_LEVEL',
  schema: z.enum(logLevels).default('info'),
  expected: `one of ${logLevels.join(', ')}; info when unset`,
};

export const codecKeyVariable: Variable<CodecKey[]> = {
  name: 'SYNCLINE_CODEC_KEY',
  schema: z
    .string()
    .optional()
    .transform((text, context) => {
      const keys = text === undefined ? [] : parseCodecKeys(text.split(','));
      if (keys) return keys;
      context.issues.push({ code: 'custom', message: 'not keys', input: null });
      return z.NEVER;
    }),
  expected: 'keys of 32 bytes in base64 or hex, with a comma between, the one to encrypt with first (openssl rand -base64 32)',
  secret: true,
};

const databaseUrlVariable: Variable<string> = {
  name: 'SYNCLINE_DATABASE_URL',
  schema: z.url({ protocol: /^postgres(ql)?$/ }),
  expected: 'a PostgreSQL address, e.g. postgres://user:password@localhost:5432/syncline',
  secret: true,
};

const keySecretsVariable: Variable<string[]> = {
  name: 'SYNCLINE_KEY_SECRET',
  schema: z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(z.string().min(16)).min(1)),
  expected: 'secrets of at least 16 characters, with a comma between, newest first (openssl rand -base64 32)',
  secret: true,
};

/** The shared configuration. Throws one `ConfigError` that names every variable to mend. */
export function loadConfig(env: Environment = process.env): Config {
  const mode = usableMode(env);
  // Only the sandbox may do without: its constant is public.
  const complete = mode === 'sandbox' ? withSandboxDefaults(env) : env;
  const secrets = createSecrets({ env: complete, mode });
  const values = readVariables(
    {
      databaseUrl: databaseUrlVariable,
      keySecrets: keySecretsVariable,
      codecKeys: codecKeyVariable,
      logLevel: logLevelVariable,
    },
    { env: complete, secrets },
  );
  return { mode, secrets, ...values };
}

function usableMode(env: Environment): Mode {
  try {
    return modeOf(env);
  } catch (error) {
    throw new ConfigError([(error as Error).message]);
  }
}

function withSandboxDefaults(env: Environment): Environment {
  const name = 'SYNCLINE_KEY_SECRET';
  return env[name] || env[`${name}_FILE`] ? env : { ...env, [name]: sandboxSecret(name) };
}
