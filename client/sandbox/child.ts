import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { guardAgainstOrphan } from './watchdog';

/** How a child process ended. */
export interface ChildExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** True when we asked it to end. */
  expected: boolean;
}

/** A running child process. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Settles once the process has ended; never rejects. */
  readonly exited: Promise<ChildExit>;
  /** The last lines it printed, for error messages. */
  lastLines(): string;
  /** Asks it to end, and kills its process group when it has not after `timeoutMs` (default 10 s). */
  stop(timeoutMs?: number): Promise<void>;
  /** Kills its process group at once. */
  kill(): Promise<void>;
}

/** What to start and how to end it. */
export interface ChildOptions {
  name: string;
  command: string;
  args: readonly string[];
  /** Passed on to `spawn`: environment, working directory, user. */
  spawn?: Pick<SpawnOptions, 'env' | 'cwd' | 'uid' | 'gid'>;
  /** The signal that asks it to end in good order. @default SIGTERM */
  stopSignal?: NodeJS.Signals;
  /**
   * What ends it when this process dies without a word: `stdin` for our own programs, which watch their standard input
   * (exit-with-parent.ts), `watchdog` for foreign ones.
   */
  orphanGuard: 'stdin' | 'watchdog';
  /** Gets every line of its output. */
  onLine?: (line: string) => void;
}

const KEPT_LINES = 40;
const STOP_TIMEOUT_MS = 10_000;

/**
 * Starts a process in a group of its own: Ctrl-C in a terminal reaches us alone, so that we end our children in order
 * instead of everything dying at once.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { name, command, args, stopSignal = 'SIGTERM' } = options;
  const stdin = options.orphanGuard === 'stdin' ? 'pipe' : 'ignore';
  const child = spawn(command, args, { ...options.spawn, detached: true, stdio: [stdin, 'pipe', 'pipe'] });
  await once(child, 'spawn').catch((error: unknown) => {
    throw new Error(`${name} could not be started: ${(error as Error).message}`);
  });
  const pid = child.pid as number; // known once 'spawn' was emitted
  const lines = keepLines(child, options.onLine);
  const state = { stopping: false, gone: false };
  const releaseGuard = options.orphanGuard === 'watchdog' ? guardAgainstOrphan(pid, stopSignal) : undefined;
  const exited = exitOf(child).then(([code, signal]) => {
    state.gone = true;
    releaseGuard?.();
    signalGroup(pid, 'SIGKILL'); // what it started itself and left behind
    return { code, signal, expected: state.stopping };
  });
  const kill = async () => {
    state.stopping = true;
    if (!state.gone) signalGroup(pid, 'SIGKILL');
    await exited;
  };
  const stop = async (timeoutMs = STOP_TIMEOUT_MS) => {
    state.stopping = true;
    if (!state.gone) child.kill(stopSignal);
    const giveUp = new AbortController();
    const late = delay(timeoutMs, 'late' as const, { signal: giveUp.signal }).catch(() => 'stopped' as const);
    if ((await Promise.race([exited, late])) === 'late') await kill();
    giveUp.abort();
    await exited;
  };
  return { name, pid, exited, lastLines: () => lines.join('\n'), stop, kill };
}

function keepLines(child: ChildProcess, onLine: ((line: string) => void) | undefined): string[] {
  const lines: string[] = [];
  for (const input of [child.stdout, child.stderr]) {
    if (!input) continue;
    createInterface({ input }).on('line', (line) => {
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
      onLine?.(line);
    });
  }
  return lines;
}

/** 'close' follows 'exit' when the last output was read; a grandchild that holds the pipe open may delay it for ever. */
async function exitOf(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  const closed = once(child, 'close');
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  await Promise.race([closed, delay(200, undefined, { ref: false })]);
  return [code, signal];
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is empty: nothing is left of it.
  }
}
