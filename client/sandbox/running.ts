import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Environment } from '../../platform/secrets';
import { stateFolder } from './state-folder';

/** The note a running sandbox leaves for commands in other terminals. */
export interface RunningSandbox {
  pid: number;
  /** How to reach it. */
  env: Record<string, string>;
}

function noteFile(folder: string): string {
  return path.join(folder, 'running.json');
}

/** The sandbox that runs on this folder, if there is one. */
export function runningSandbox(folder: string): RunningSandbox | undefined {
  if (!existsSync(noteFile(folder))) return undefined;
  try {
    const note = JSON.parse(readFileSync(noteFile(folder), 'utf8')) as RunningSandbox;
    process.kill(note.pid, 0);
    return note;
  } catch {
    return undefined; // unreadable, or left by one that was killed
  }
}

export function noteRunning(folder: string, env: Record<string, string>): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(noteFile(folder), JSON.stringify({ pid: process.pid, env }, null, 2), { mode: 0o600 });
}

export function forgetRunning(folder: string): void {
  rmSync(noteFile(folder), { force: true });
}

/**
 * The environment a command works with: as it is set, or, when nothing there says where Temporal and the database are,
 * that of the sandbox running in this checkout. So `npx syncline runs` works beside `npm start`.
 */
export function commandEnvironment(env: Environment): Environment {
  const chosen = ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'SYNCLINE_DATABASE_URL', 'SYNCLINE_DATABASE_URL_FILE', 'SYNCLINE_MODE'].some((name) => env[name]);
  const sandbox = chosen ? undefined : runningSandbox(stateFolder(env));
  return sandbox ? { ...env, ...sandbox.env } : env;
}

/** These settings are those of the sandbox running in this checkout. */
export function isRunningSandbox(env: Environment): boolean {
  const address = env['TEMPORAL_ADDRESS'];
  return address !== undefined && runningSandbox(stateFolder(env))?.env['TEMPORAL_ADDRESS'] === address;
}

/** What mends a sandbox that lacks something of a sync. */
export const restartSandbox =
  'stop the sandbox (Ctrl-C) and start it again (npm start): it serves the syncs that were listed when it started, and sets what they need itself';
