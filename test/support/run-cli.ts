import { spawn } from 'node:child_process';
import path from 'node:path';

const bin = path.resolve(__dirname, '../../bin/syncline.js');

/** How a command ended, and what it printed. */
export interface CliEnd {
  code: number | null;
  out: string;
  err: string;
  /** The standard output of a command with `--json`; null otherwise, and when there is none. */
  json: any;
}

/** Runs the CLI as a user would: a process of its own, without colours. */
export function runCli(env: Readonly<Record<string, string>>, ...args: string[]): Promise<CliEnd> {
  return run([bin], env, args);
}

/** The same with another entry: a CLI whose registry holds the syncs of a test. */
export function runCliAt(entry: string, env: Readonly<Record<string, string>>, ...args: string[]): Promise<CliEnd> {
  return run(['--import', 'tsx', path.resolve(__dirname, entry)], env, args);
}

function run(command: string[], env: Readonly<Record<string, string>>, args: string[]): Promise<CliEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...command, ...args], { env: { ...process.env, ...env, NO_COLOR: '1' } });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.on('close', (code) => {
      try {
        resolve({ code, out, err, json: args.includes('--json') && out !== '' ? JSON.parse(out) : null });
      } catch {
        reject(new Error(`${args.join(' ')} exited with ${code} and printed no JSON: ${out}${err}`));
      }
    });
  });
}
