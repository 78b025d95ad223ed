import { readFileSync } from 'node:fs';

/** Variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** `sandbox`: fixed, public secrets and simulators; `real`: everything else. */
export type Mode = 'sandbox' | 'real';

/** A secret that is missing, unreadable or not allowed. The message names the variable, never the value. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
  constructor(
    readonly variable: string,
    message: string,
  ) {
    super(message);
  }
}

/** Reads secrets of one environment, in one mode. Files are read anew each time, so that a rotation needs no restart. */
export interface Secrets {
  /** Undefined when neither `NAME` nor `NAME_FILE` is set. */
  optional(name: string): string | undefined;
  /** Throws `SecretError` when it is not set. */
  one(name: string): string;
  /** A comma list, newest first; at least one. */
  list(name: string): string[];
  /** A comma list; empty when it is not set. */
  optionalList(name: string): string[];
}

/** `SYNCLINE_MODE`; real when unset. */
export function modeOf(env: Environment = process.env): Mode {
  const value = env['SYNCLINE_MODE'] || 'real';
  if (value === 'sandbox' || value === 'real') return value;
  throw new SecretError('SYNCLINE_MODE', 'SYNCLINE_MODE is not usable; expected "sandbox" or "real" (the default)');
}

/** `NAME`, or the content of the file `NAME_FILE` names, without its last line break; undefined when neither is set. */
export function readSecret(name: string, env: Environment = process.env): string | undefined {
  const value = env[name];
  const file = env[`${name}_FILE`];
  if (value && file) throw new SecretError(name, `${name} and ${name}_FILE are both set; keep one of them`);
  if (value) return value;
  return file ? readSecretFile(`${name}_FILE`, file) : undefined;
}

/** The secrets of an environment. In real mode every read refuses the sandbox's. */
export function createSecrets(options: { env?: Environment; mode?: Mode } = {}): Secrets {
  const env = options.env ?? process.env;
  const mode = options.mode ?? modeOf(env);
  const optional = (name: string): string | undefined => {
    const value = readSecret(name, env);
    if (value !== undefined) refuseSandboxSecrets(name, [value], mode);
    return value;
  };
  const optionalList = (name: string): string[] => {
    const values = commaList(name, readSecret(name, env));
    refuseSandboxSecrets(name, values, mode);
    return values;
  };
  const missing = (name: string): never => {
    throw new SecretError(name, `${name} is missing; set it, or ${name}_FILE to a file that holds it`);
  };
  return {
    optional,
    one: (name) => optional(name) ?? missing(name),
    optionalList,
    list: (name) => {
      const values = optionalList(name);
      return values.length > 0 ? values : missing(name);
    },
  };
}

const sandboxPrefix = 'sandbox-';
const standardWebhooksPrefix = 'whsec_';

/** The fixed sandbox secret for a variable: `SYNCLINE_SHOPIFY_MAIN_WEBHOOK_SECRET` has `sandbox-shopify-main-webhook-secret`. */
export function sandboxSecret(variable: string): string {
  return (
    sandboxPrefix +
    variable
      .replace(/^SYNCLINE_/, '')
      .toLowerCase()
      .replaceAll('_', '-')
  );
}

/** The same in the form Standard Webhooks wants: `whsec_` and base64. */
export function sandboxStandardWebhooksSecret(variable: string): string {
  return standardWebhooksPrefix + Buffer.from(sandboxSecret(variable)).toString('base64');
}

/** True for secrets that `sandboxSecret` and `sandboxStandardWebhooksSecret` made, and for keys that are base64 of such. */
export function isSandboxSecret(value: string): boolean {
  if (value.startsWith(sandboxPrefix)) return true;
  const encoded = value.startsWith(standardWebhooksPrefix) ? value.slice(standardWebhooksPrefix.length) : value;
  return Buffer.from(encoded, 'base64').toString('latin1').startsWith(sandboxPrefix);
}

/** The sandbox's secrets are in the docs: in real mode they would let anyone in. */
export function refuseSandboxSecrets(name: string, values: readonly string[], mode: Mode): void {
  const parts = values.flatMap((value) => value.split(',')).map((part) => part.trim());
  if (mode === 'real' && parts.some(isSandboxSecret)) {
    throw new SecretError(name, `${name} holds a sandbox secret, which everyone can read in the docs; set your own, or SYNCLINE_MODE=sandbox`);
  }
}

function readSecretFile(variable: string, path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new SecretError(variable, `${variable} names a file that cannot be read (${reason}); expected a file with the secret`);
  }
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw new SecretError(variable, `${variable} names an empty file; expected a file with the secret`);
  return secret;
}

function commaList(name: string, value: string | undefined): string[] {
  if (value === undefined) return [];
  const parts = value.split(',').map((part) => part.trim());
  if (parts.includes('')) {
    throw new SecretError(name, `${name} has an empty entry; expected one secret, or several with a comma between, newest first`);
  }
  return parts;
}
