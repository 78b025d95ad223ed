import type { ChildExit } from '../../sandbox/child';
import { createSupervisor, type Ready } from '../../sandbox/processes';
import { exitCodes, type ExitCode } from '../cli-error';
import type { Answer, CliContext } from '../context';

const entries = { worker: 'workers/main.ts', gateway: 'client/gateway/main.ts' } as const;

/** No limit: a gateway waits for its database, and says so in its log. (A worker without one ends, to be started anew.) */
const readyTimeoutMs = 2 ** 31 - 1;
/** What is in flight gets the time the worker itself allows (30 s), and a little. */
const stopTimeoutMs = 35_000;

/**
 * `syncline worker`, `syncline gateway`: the program in a process of its own, in the foreground. Its log goes to stderr; on
 * stdout stands one line once it works. Signals are passed on; a second one kills it.
 */
export async function runProcess(context: CliContext, name: keyof typeof entries, options: { json?: boolean } = {}): Promise<Answer> {
  const { terminal } = context;
  const supervisor = createSupervisor();
  let ended: (exit: ChildExit) => void = () => undefined;
  const exited = new Promise<ChildExit>((resolve) => (ended = resolve));
  const removeSignals = passSignals(
    () => void supervisor.stopAll(stopTimeoutMs),
    () => void supervisor.killAll(),
  );
  try {
    const running = supervisor.spawnNode({
      name,
      entry: entries[name],
      env: defined(context.env),
      log: (line) => terminal.note(line),
      onExit: ended,
      readyTimeoutMs,
    });
    void running.then(
      ({ ready }) => terminal.line(options.json ? JSON.stringify(ready) : readyWords(name, ready)),
      () => undefined, // it ended before it was ready; its own words are on stderr
    );
    return finished(name, await exited);
  } finally {
    removeSignals();
  }
}

/** The context's environment: beside a running sandbox it is the sandbox's, not this process's. */
function defined(env: CliContext['env']): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function passSignals(first: () => void, second: () => void): () => void {
  let count = 0;
  const onSignal = (): void => (count++ === 0 ? first() : second());
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
}

function readyWords(name: string, { url }: Ready): string {
  return `${name} is up${typeof url === 'string' ? `: ${url}` : ''}; Ctrl-C stops it`;
}

/** The document was printed when the program was ready: one line, not one more at its end. */
function finished(name: string, { code, signal, expected }: ChildExit): Answer {
  const exitCode: ExitCode = code === 0 || (expected && code === null) ? exitCodes.ok : known(code) ? code : exitCodes.badNews;
  return {
    exitCode,
    document: undefined,
    print: (terminal) => {
      if (exitCode !== exitCodes.ok)
        terminal.note(
          `error: the ${name} ended (${signal ?? `exit code ${code}`})\n  next: its last lines above say why; \`npx syncline doctor\` checks the installation`,
        );
    },
  };
}

function known(code: number | null): code is ExitCode {
  return code !== null && (Object.values(exitCodes) as number[]).includes(code);
}
