import { setTimeout as delay } from 'node:timers/promises';
import type { Child, ChildExit } from './child';
import { inWords } from './process-log';
import type { Log } from './log';

/** A process that is started again when it ends unasked. */
export interface Kept<C extends Child = Child> {
  readonly name: string;
  /** The one that runs, or ran last. */
  current(): C;
}

interface KeepOptions {
  log: Log;
  /** Aborted when the sandbox ends: what ends then is not started again. */
  closing: AbortSignal;
  /** Told after each restart. */
  onRestart?: (child: Child) => void;
  /** First wait; doubles up to 30 s. @default 500 */
  firstWaitMs?: number;
}

const maxWaitMs = 30_000;
/** One that lived this long starts with the short wait again. */
const settledMs = 60_000;
const shownLines = 5;

/**
 * Starts a process and keeps it running. Its end is told with its last words; the waits grow, so that one that can't
 * start does not fill the screen.
 */
export async function keepRunning<C extends Child>(start: () => Promise<C>, options: KeepOptions): Promise<Kept<C>> {
  let child = await start();
  void watch();
  return { name: child.name, current: () => child };

  async function watch(): Promise<void> {
    let waitMs = options.firstWaitMs ?? 500;
    for (;;) {
      const startedAt = Date.now();
      const exit = await child.exited;
      if (exit.expected || options.closing.aborted) return;
      if (Date.now() - startedAt > settledMs) waitMs = options.firstWaitMs ?? 500;
      options.log(`${child.name} ended (${exitInWords(exit)})${lastWords(child)}`);
      waitMs = await startAgain(waitMs);
      if (options.closing.aborted) return;
    }
  }

  async function startAgain(firstWaitMs: number): Promise<number> {
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(2 * waitMs, maxWaitMs)) {
      options.log(`${child.name}: starting it again in ${waitMs / 1000} s`);
      await delay(waitMs, undefined, { signal: options.closing }).catch(() => undefined);
      if (options.closing.aborted) return waitMs;
      try {
        child = await start();
        options.log(`${child.name} runs again (process ${child.pid})`);
        options.onRestart?.(child);
        return Math.min(2 * waitMs, maxWaitMs);
      } catch (error) {
        if (options.closing.aborted) return waitMs;
        options.log((error as Error).message);
      }
    }
  }
}

function exitInWords({ code, signal }: ChildExit): string {
  return signal ?? `exit code ${code}`;
}

function lastWords(child: Child): string {
  const lines = child
    .lastLines()
    .split('\n')
    .map(inWords)
    .filter((line) => line.trim() !== '')
    .slice(-shownLines);
  return lines.length === 0 ? '' : `. Its last words:\n${lines.map((line) => `    ${line}`).join('\n')}`;
}
