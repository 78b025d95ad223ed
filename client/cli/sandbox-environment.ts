import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Environment } from '../../platform/secrets';

/**
 * Where `npm start` leaves the addresses and (public) secrets of the sandbox it runs, so that other commands in the same
 * folder reach it without any setting. Gone when the sandbox ends.
 */
const file = (folder: string): string => path.join(folder, '.syncline', 'environment.json');

interface Note {
  /** The process that runs the sandbox: a note it could not take back is ignored. */
  pid: number;
  env: Record<string, string>;
}

/** Says where the sandbox can be reached. */
export function writeSandboxEnvironment(env: Record<string, string>, folder = process.cwd()): void {
  const note: Note = { pid: process.pid, env };
  mkdirSync(path.dirname(file(folder)), { recursive: true });
  writeFileSync(file(folder), `${JSON.stringify(note, null, 2)}\n`, { mode: 0o600 });
}

/** Takes it back. */
export function removeSandboxEnvironment(folder = process.cwd()): void {
  rmSync(file(folder), { force: true });
}

/**
 * `env`, completed by what the running sandbox of this folder says. Settings of one's own win altogether: a half-set
 * environment must never end up with one foot in the sandbox.
 */
export function withSandbox(env: Environment, folder = process.cwd()): Environment {
  const ownSettings = ['SYNCLINE_DATABASE_URL', 'SYNCLINE_DATABASE_URL_FILE', 'TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'SYNCLINE_MODE'];
  if (ownSettings.some((name) => env[name])) return env;
  const note = readNote(folder);
  return note && isAlive(note.pid) ? { ...note.env, ...env } : env;
}

function readNote(folder: string): Note | null {
  try {
    return JSON.parse(readFileSync(file(folder), 'utf8')) as Note;
  } catch {
    return null; // no sandbox, or one that is just writing
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // somebody else's, but there
  }
}
