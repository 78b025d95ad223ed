import { pino, type DestinationStream, type Logger } from 'pino';

/** JSON lines. Never given bodies, signatures, secrets or record keys in the clear: HMACs, ids and codes instead. */
export type Log = Logger;

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Fields that hold secrets or personal data wherever they turn up. A net under the rule above, not a substitute for it. */
const secretFields = [
  'authorization',
  'apiKey',
  'body',
  'connectionString',
  'cookie',
  'credentials',
  'email',
  'headers',
  'password',
  'payload',
  'phone',
  'rawBody',
  'secret',
  'secrets',
  'signature',
  'token',
];

/**
 * The process's log, on standard error: standard output belongs to the ready line. Use `log.child({ component })`.
 *
 * @param options.destination For tests.
 */
export function createLog(options: { name: string; level?: LogLevel; destination?: DestinationStream }): Log {
  return pino(
    {
      name: options.name,
      level: options.level ?? levelFrom(process.env['SYNCLINE_LOG_LEVEL']),
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: errorFacts, error: errorFacts },
      redact: { paths: secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: '[redacted]' },
    },
    options.destination ?? pino.destination({ dest: 2, sync: true }),
  );
}

/** What of an error may be logged. Other properties are left out: database and HTTP errors carry values there. */
interface ErrorFacts {
  type: string;
  message: string;
  code?: string;
  stack?: string;
  cause?: ErrorFacts;
}

function errorFacts(error: unknown): ErrorFacts {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  const { code } = error as { code?: unknown };
  // PostgreSQL quotes the value it could not take (SQLSTATE class 22) in the message itself.
  const quotes = typeof code === 'string' && /^22[0-9A-Z]{3}$/.test(code);
  return {
    type: error.name,
    message: quotes ? 'a value was refused; the message is withheld, as it quotes the value' : error.message,
    ...(typeof code === 'string' ? { code } : {}),
    ...(error.stack && !quotes ? { stack: error.stack } : {}),
    ...(error.cause === undefined ? {} : { cause: errorFacts(error.cause) }),
  };
}

/** A log must exist before the configuration is checked: an unusable level counts as `info` here, `config.ts` refuses it. */
function levelFrom(value: string | undefined): LogLevel {
  return logLevels.find((level) => level === value) ?? 'info';
}

/**
 * The one line a process prints on standard output once it serves: `{"ready":true,"name":…,"port":…,"url":…}`. Programs that
 * started it wait for this line and read the port from it.
 */
export function printReady(ready: { name: string; port?: number; url?: string }): void {
  process.stdout.write(`${JSON.stringify({ ready: true, ...ready })}\n`);
}
