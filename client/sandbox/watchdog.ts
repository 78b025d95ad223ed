import { spawn } from 'node:child_process';

// `read` returns when the pipe closes: the kernel does that for us however the parent died, SIGKILL included.
const SCRIPT = `
  read -r _
  kill -s "$2" "$1" 2>/dev/null
  n=0
  while kill -0 "$1" 2>/dev/null && [ $n -lt 50 ]; do sleep 0.2; n=$((n+1)); done
  kill -s KILL -- "-$1" 2>/dev/null
`;

/**
 * Ends a program that knows nothing of us (PostgreSQL, the Temporal server) when this process dies without stopping it.
 * Returns the function that calls the watch off; call it as soon as the program has ended, since its id may be reused.
 *
 * A shell of its own session waits on a pipe that only we hold. What survives: the program, if the watchdog itself is
 * killed with us (the end of a container ends both anyway).
 */
export function guardAgainstOrphan(pid: number, signal: NodeJS.Signals): () => void {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'sh', String(pid), signal.replace(/^SIG/, '')], {
    detached: true, // not in our process group: a signal to that group must not reach it
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.on('error', () => undefined); // no /bin/sh: no guard, and nothing else changes
  shell.unref();
  // The pipe is a socket to Node, though the types know it as a plain stream; it must not keep us alive.
  (shell.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  return () => shell.kill('SIGKILL');
}
