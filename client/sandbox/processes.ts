import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Child, type ChildExit, startChild } from './child';
import type { Log } from './log';

/** The one line each of our long-running programs prints on stdout when it works: `{"ready":true,…}`. */
export type Ready = { ready: true } & Record<string, unknown>;

/** One of our own programs, running and ready. */
export interface NodeProcess extends Child {
  readonly ready: Ready;
}

/** Which program to run, and who hears of it. */
export interface NodeProcessOptions {
  /** How messages call it, e.g. `worker`. */
  name: string;
  /** The TypeScript file from the repository's root, e.g. `workers/worker.ts`; compiled, its `.js` twin is run. */
  entry: string;
  args?: readonly string[];
  /** Added to this process's environment; `undefined` takes a variable out of it. */
  env?: Record<string, string | undefined>;
  /** Gets every line it prints, except the ready line: pino JSON, or the words of a crash. */
  log: Log;
  /** Told when it has ended; `expected` says whether we asked for it. */
  onExit?: (exit: ChildExit) => void;
  /** @default 60_000 */
  readyTimeoutMs?: number;
}

const ROOT = path.resolve(__dirname, '..', '..');
/** In a checkout this file is TypeScript and so are the entries; after a build both are JavaScript under dist/. */
const FROM_SOURCE = __filename.endsWith('.ts');

async function startNode(options: NodeProcessOptions): Promise<{ child: Child; ready: Promise<Ready> }> {
  const { name, entry, args = [], env = {}, log, readyTimeoutMs = 60_000 } = options;
  let announce: (ready: Ready) => void = () => undefined;
  const announced = new Promise<Ready>((resolve) => (announce = resolve));
  const child = await startChild({
    name,
    command: process.execPath,
    args: [...loaders(), entryFile(entry), ...args],
    spawn: { env: { ...process.env, ...env }, cwd: ROOT },
    orphanGuard: 'stdin',
    onLine: (line) => {
      const ready = parseReady(line);
      if (ready) announce(ready);
      else log(line);
    },
  });
  void child.exited.then((exit) => options.onExit?.(exit));
  return { child, ready: readyOrDead(child, announced, readyTimeoutMs) };
}

async function readyOrDead(child: Child, announced: Promise<Ready>, timeoutMs: number): Promise<Ready> {
  const late = new AbortController();
  const first = await Promise.race([announced, child.exited, delay(timeoutMs, undefined, { signal: late.signal }).catch(() => undefined)]);
  late.abort();
  if (first && 'ready' in first) return first;
  const how = first ? `ended (${first.signal ?? `exit code ${first.code}`}) before it was ready` : `was not ready after ${timeoutMs / 1000} s`;
  await child.kill();
  throw new Error(`${child.name} ${how}. Its last words:\n${child.lastLines() || '(none)'}`);
}

/** True programs print JSON on every line, so the line is told by its field and by having no log level. */
export function parseReady(line: string): Ready | undefined {
  if (!line.startsWith('{') || !line.includes('"ready":true')) return undefined;
  try {
    const value = JSON.parse(line) as Ready & { level?: unknown };
    return value.ready === true && value.level === undefined ? value : undefined;
  } catch {
    return undefined;
  }
}

function entryFile(entry: string): string {
  return path.join(ROOT, FROM_SOURCE ? entry : entry.replace(/\.ts$/, '.js'));
}

/** tsx's CommonJS hook alone: our code is CommonJS, and the ES module hook costs another 150 ms at every start. */
function loaders(): string[] {
  const guard = path.join(__dirname, `exit-with-parent${path.extname(__filename)}`);
  return [...(FROM_SOURCE ? ['--require', require.resolve('tsx/cjs')] : []), '--require', guard];
}

/** What {@link Supervisor} can end; servers and node processes alike. */
export type Stoppable = Pick<Child, 'name' | 'stop' | 'kill'>;

/** Everything one command has started, ended together. */
export interface Supervisor {
  /** Takes charge of something already started. */
  add<T extends Stoppable>(stoppable: T): T;
  /**
   * Starts one of our programs and resolves when it says that it is ready; rejects, with its last words, when it ends first.
   * Under this supervisor from the first moment, so that a stop during start-up ends it too.
   */
  spawnNode(options: NodeProcessOptions): Promise<NodeProcess>;
  /** Ends everything, last started first; what has not ended when `timeoutMs` (default 20 s) is over is killed. */
  stopAll(timeoutMs?: number): Promise<void>;
  /** Kills everything at once: for the second Ctrl-C. */
  killAll(): Promise<void>;
}

/**
 * Keeps the list of what must end with this process. It handles no signals: the command does, and calls
 * {@link Supervisor.stopAll}. If the command dies without doing so, the guards of child.ts end the rest within ten seconds.
 */
export function createSupervisor(): Supervisor {
  const running: Stoppable[] = [];
  let stopping = false;
  const add = <T extends Stoppable>(stoppable: T): T => {
    running.push(stoppable);
    // Started while the rest was being stopped: end it as well, rather than leave it behind.
    if (stopping) void stoppable.kill();
    return stoppable;
  };
  return {
    add,
    async spawnNode(options) {
      const { child, ready } = await startNode(options);
      add(child);
      return { ...child, ready: await ready };
    },
    async stopAll(timeoutMs = 20_000) {
      stopping = true;
      const deadline = Date.now() + timeoutMs;
      for (const stoppable of running.splice(0).reverse()) await stoppable.stop(Math.max(deadline - Date.now(), 500));
    },
    async killAll() {
      stopping = true;
      await Promise.all(running.map((stoppable) => stoppable.kill()));
    },
  };
}
