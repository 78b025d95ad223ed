import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import path from 'node:path';
import type { Log } from './log';

/** Log files of a sandbox's processes, one per process, begun anew at each start. */
export interface ProcessLogs {
  readonly folder: string;
  /** Takes the lines of one process; shows errors, the rest is only in the file. */
  of(name: string): Log;
  /** Resolves when everything is written. */
  close(): Promise<void>;
}

/** The same error again within this time is not shown again: a server that is away is one piece of news. */
const quietMs = 30_000;

export function createProcessLogs(folder: string, show: Log): ProcessLogs {
  mkdirSync(folder, { recursive: true });
  const files: WriteStream[] = [];
  return {
    folder,
    of(name) {
      const file = createWriteStream(path.join(folder, `${name}.log`));
      file.on('error', () => undefined); // a full disk must not end the sandbox
      files.push(file);
      const shownAt = new Map<string, number>();
      return (line) => {
        file.write(`${line}\n`);
        const entry = parsed(line);
        if (!entry || !['error', 'fatal'].includes(String(entry.level))) return;
        const words = inWords(line);
        if (Date.now() - (shownAt.get(words) ?? 0) < quietMs) return;
        shownAt.set(words, Date.now());
        show(`${name}: ${words}`);
      };
    },
    close: async () => {
      await Promise.all(files.map((file) => new Promise<void>((resolve) => file.end(() => resolve()))));
    },
  };
}

/** A line of a log as a person reads it: a JSON line's message and cause; others as they are, shortened. */
export function inWords(line: string): string {
  const entry = parsed(line);
  if (!entry) return shortened(line);
  const { err, cause } = entry as { err?: { message?: unknown }; cause?: unknown };
  const why = [err?.message, cause].find((part) => typeof part === 'string');
  return shortened([entry.msg, why].filter((part) => typeof part === 'string').join(': '));
}

function shortened(text: string): string {
  return text.length > 300 ? `${text.slice(0, 299)}…` : text;
}

function parsed(line: string): { level?: unknown; msg?: unknown } | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as { level?: unknown };
  } catch {
    return undefined;
  }
}
