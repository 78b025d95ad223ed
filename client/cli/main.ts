#!/usr/bin/env node
import { CommanderError } from 'commander';
import { commandEnvironment } from '../sandbox/running';
import { CliError, type ExitCode, exitCodes } from './cli-error';
import type { Answer, CliContext } from './context';
import { errorFacts } from './error-facts';
import { openContext } from './open';
import { createProgram } from './program';
import { processTerminal, type Terminal } from './terminal';

/** What a run of the program needs; tests pass their own. */
export interface MainOptions {
  terminal?: Terminal;
  env?: CliContext['env'];
  openContext?: (terminal: Terminal, env: CliContext['env']) => CliContext;
}

/** Runs `syncline <args>` and resolves with its exit code. Never rejects. */
export async function main(args: readonly string[], options: MainOptions = {}): Promise<ExitCode> {
  const terminal = options.terminal ?? processTerminal();
  const context = (options.openContext ?? openContext)(terminal, options.env ?? environmentFor(args));
  let exitCode: ExitCode = exitCodes.ok;
  const program = createProgram(async (command, { json }) => {
    const answer = await command(context);
    print(terminal, answer, json === true);
    exitCode = answer.exitCode;
  });
  const helpAnswer: string[] = [];
  for (const command of [program, ...program.commands.flatMap((one) => [one, ...one.commands])]) {
    // Commander's own errors are printed below, like ours; help goes where answers go, unless it is shown instead of one.
    command.exitOverride().configureOutput({
      writeOut: (text) => helpAnswer.push(text),
      writeErr: (text) => terminal.note(text.trimEnd()),
      outputError: () => undefined,
    });
  }
  try {
    if (args.length === 0) helpAnswer.push(program.helpInformation());
    else await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    exitCode = fail(terminal, error, args);
  } finally {
    await context.close();
  }
  if (helpAnswer.length > 0) terminal.line(helpAnswer.join('').trimEnd());
  return exitCode;
}

/** Commands work on the sandbox of this folder when nothing else is set; `start` makes one, so it must not see another. */
function environmentFor(args: readonly string[]): CliContext['env'] {
  const command = args.find((arg) => !arg.startsWith('-'));
  return command === 'start' ? process.env : commandEnvironment(process.env);
}

function print(terminal: Terminal, answer: Answer, json: boolean): void {
  if (!json) answer.print(terminal);
  else if (answer.document !== undefined) terminal.line(JSON.stringify(answer.document, null, 2));
}

function fail(terminal: Terminal, error: unknown, args: readonly string[]): ExitCode {
  if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok; // --help, --version
  const known = new CliError(errorFacts(error, args));
  // `syncline table`, without saying what: its help has been shown.
  const helped = error instanceof CommanderError && error.code === 'commander.help';
  const [first = '', ...others] = known.lines();
  if (!helped) terminal.note([terminal.colours.red(first), ...others].join('\n'));
  if (args.includes('--json')) terminal.line(JSON.stringify({ error: known.facts }, null, 2));
  return known.exitCode;
}

if (require.main === module) {
  // `syncline runs | head` closes the pipe: nobody is left to print for.
  process.stdout.on('error', () => process.exit(exitCodes.ok));
  void main(process.argv.slice(2)).then((exitCode) => {
    process.exitCode = exitCode;
    // What a library leaves open must not keep a finished command alive; output is flushed long before.
    setTimeout(() => process.exit(exitCode), 1_000).unref();
  });
}
