import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** How a `syncline start` ended, and what it left. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A running `syncline start …`. */
export interface StartProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves with everything on that stream once it contains `text`; rejects when the process ends first. */
  said(stream: 'stdout' | 'stderr', text: string): Promise<string>;
}

/** Starts `syncline start …args` as a process; `SYNCLINE_*` and `TEMPORAL_*` come from `env` alone. */
export function spawnStart(args: readonly string[], env: Record<string, string>): StartProcess {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(SYNCLINE|TEMPORAL)_(?!CLI_PATH|CACHE_DIR)/.test(name)));
  const entry = path.resolve(__dirname, '../../bin/syncline.js');
  const child = spawn(process.execPath, [entry, 'start', ...args], { env: { ...inherited, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...output }));
  });
  return {
    child,
    ended,
    said: (stream, text) =>
      new Promise((resolve, reject) => {
        const look = () => output[stream].includes(text) && resolve(output[stream]);
        look();
        child[stream]?.on('data', look);
        void ended.then(({ code, stderr }) => reject(new Error(`it ended (${code}) without saying "${text}":\n${stderr}`)));
      }),
  };
}

/** A folder that a start may use for temporary files and state, and that shows afterwards what was left. */
export function startFolder(): { path: string; files(): string[]; processes(): Promise<string[]>; remove(): void } {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'start-'));
  chmodSync(folder, 0o755); // PostgreSQL may run as another user, who must get through
  return {
    path: folder,
    files: () => readdirSync(folder).filter((name) => name.startsWith('syncline')),
    processes: () => processesOf(folder),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Processes with the folder on their command line or in their environment. */
function processesOf(folder: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const ps = spawn('ps', ['axeww', '-o', 'command'], { stdio: ['ignore', 'pipe', 'ignore'] });
    let output = '';
    ps.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    ps.on('error', reject);
    ps.on('close', () => resolve(output.split('\n').filter((line) => line.includes(folder) && !line.startsWith('ps '))));
  });
}
