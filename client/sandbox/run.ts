import { spawn } from 'node:child_process';

/** What a short program said and how it ended. */
export interface RunResult {
  ok: boolean;
  /** stdout and stderr together, in the order they came. */
  output: string;
}

interface RunOptions {
  /** The whole process group is killed after this many milliseconds. */
  timeoutMs: number;
  /** Asked once a second; when it answers true the program is killed, for time limits that depend on progress. */
  giveUp?: () => Promise<boolean>;
}

/** Runs a program to its end and never throws: one that is missing, fails or hangs is a result with `ok: false`. */
export function run(command: string, args: readonly string[], { timeoutMs, giveUp }: RunOptions): Promise<RunResult> {
  return new Promise((resolve) => {
    // Its own group, so that what it started (a server, a download) ends with it.
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let output = '';
    const end = (ok: boolean, note = '') => {
      clearTimeout(limit);
      clearInterval(check);
      process.off('exit', killGroup);
      resolve({ ok, output: `${output}${note}`.trim() });
    };
    const killGroup = () => {
      try {
        if (child.pid) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It is already gone.
      }
    };
    const abandon = (why: string) => {
      killGroup();
      end(false, `\n${why}`);
    };
    const limit = setTimeout(() => abandon(`no end within ${timeoutMs / 1000} s`), timeoutMs);
    const check = setInterval(() => void giveUp?.().then((stop) => stop && abandon('no progress')), 1000);
    process.on('exit', killGroup); // Ctrl-C during a download must not leave it running
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', (error) => end(false, error.message));
    child.on('close', (code) => end(code === 0));
  });
}
