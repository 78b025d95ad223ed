import { PortsInUseError } from '../../sandbox/service-ports';
import { CliError, exitCodes } from '../cli-error';
import { span } from '../output/times';
import type { Terminal } from '../terminal';

/** Runs one step of a start: its name and time when it is done, its name and cause when it fails. */
export type Step = <T>(name: string, work: () => Promise<T>) => Promise<T>;

/** Steps as lines on stderr: calm, and the same in a terminal and in a log. Those that `stopping` ended are no news. */
export function stepsOn(terminal: Terminal, stopping: AbortSignal): Step {
  const { colours } = terminal;
  return async (name, work) => {
    const startedAt = Date.now();
    try {
      const result = await work();
      terminal.note(`  ${colours.green('✓')} ${name.padEnd(34)} ${colours.dim(span(Date.now() - startedAt))}`);
      return result;
    } catch (error) {
      if (!stopping.aborted) terminal.note(`  ${colours.red('✗')} ${name}`);
      throw error;
    }
  };
}

/** Ports that are taken, each with its variable, as one error of the command. */
export function portsInUse(error: unknown): never {
  if (!(error instanceof PortsInUseError)) throw error;
  throw new CliError({
    exitCode: exitCodes.usage,
    what: error.ports.length === 1 ? 'a port is in use' : `${error.ports.length} ports are in use`,
    where: error.ports.map(({ message }) => message).join('\n            '),
    next: 'stop what uses them, or set the variables named',
  });
}

/** A start that failed: what failed, with the last words of the process, and what may help. */
export function startFailed(error: unknown): never {
  if (error instanceof CliError) throw error;
  const message = error instanceof Error ? error.message : String(error);
  throw new CliError({ exitCode: exitCodes.badNews, what: message, next: 'its reason stands above; `npm start` again once it is mended' });
}
