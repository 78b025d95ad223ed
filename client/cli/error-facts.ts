import { CommanderError } from 'commander';
import { CliError, type CliErrorFacts, exitCodes } from './cli-error';

/** Any error as what a message must say. Errors nobody foresaw keep their words, never their stack. */
export function errorFacts(error: unknown, args: readonly string[]): CliErrorFacts {
  if (error instanceof CliError) return error.facts;
  if (error instanceof CommanderError) return usageFacts(error, args);
  return grpcFacts(error) ?? databaseFacts(error) ?? unforeseen(error);
}

/** Commander says "error: unknown option '--foo'\n(Did you mean --for?)". */
function usageFacts(error: CommanderError, args: readonly string[]): CliErrorFacts {
  const [first = '', ...hints] = error.message.replace(/^error: /, '').split('\n');
  const command = args.find((arg) => !arg.startsWith('-'));
  const known = error.code === 'commander.unknownCommand' ? undefined : command;
  return {
    exitCode: exitCodes.usage,
    what: error.code === 'commander.help' ? `${command ?? 'syncline'} is several commands: say which` : first,
    ...(hints.length > 0 ? { expected: hints.join(' ').replace(/^\((.*)\)$/, '$1') } : {}),
    next: `npx syncline ${known ? `${known} ` : ''}--help`,
  };
}

/** gRPC status codes that mean "nobody there": DEADLINE_EXCEEDED, UNAVAILABLE. */
export const unreachableCodes: readonly number[] = [4, 14];

function grpcFacts(error: unknown): CliErrorFacts | null {
  const grpc = [error, causeOf(error)].find((one) => typeof (one as { code?: unknown } | null)?.code === 'number' && 'details' in (one as object));
  if (!grpc) return null;
  const { code, details } = grpc as { code: number; details: string };
  const gone = unreachableCodes.includes(code);
  return {
    exitCode: gone ? exitCodes.unreachable : exitCodes.badNews,
    what: gone ? 'Temporal stopped answering' : `Temporal refused: ${details}`,
    ...(gone ? { where: details } : {}),
    next: '`npx syncline doctor` checks the connection and the namespace',
  };
}

/** SQLSTATEs: undefined table, undefined schema, undefined column. */
const outdatedSchema = ['42P01', '3F000', '42703'];

function databaseFacts(error: unknown): CliErrorFacts | null {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== 'string') return null;
  if (outdatedSchema.includes(code)) {
    return {
      exitCode: exitCodes.badNews,
      what: 'the database lacks tables of this version',
      where: `SYNCLINE_DATABASE_URL (${code})`,
      expected: 'the migrations of this version, which the gateway and workers apply when they start',
      next: 'start the gateway or a worker of this version once, or correct SYNCLINE_DATABASE_URL',
    };
  }
  if (/^(08|57P)/.test(code) || /^E[A-Z]+$/.test(code)) {
    return {
      exitCode: exitCodes.unreachable,
      what: 'the connection was lost',
      where: code,
      next: '`npx syncline doctor` checks Temporal and the database',
    };
  }
  return null;
}

function unforeseen(error: unknown): CliErrorFacts {
  const message = error instanceof Error ? error.message : String(error);
  return {
    exitCode: exitCodes.badNews,
    what: message.split('\n')[0] || 'the command failed and gave no reason',
    next: '`npx syncline doctor` checks the installation; SYNCLINE_LOG_LEVEL=debug shows more',
  };
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}
