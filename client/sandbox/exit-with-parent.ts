import { isMainThread } from 'node:worker_threads';

/**
 * Loaded before the entry of each of our own child processes (processes.ts): ends the process when its parent is gone.
 *
 * Standard input is a pipe whose other end only the parent holds, so its end means that the parent died, even by
 * SIGKILL. SIGTERM first, as the parent would have sent; what is still there after ten seconds is killed with its group.
 */
const GRACE_MS = 10_000;

// Threads get our loader flags too (Temporal runs workflows in one), and a thread's standard input is at its end from the
// start.
if (isMainThread) watchParent();

function watchParent(): void {
  process.stdin.once('end', () => {
    // We lead our process group (child.ts starts us so), hence what we started ourselves ends with us.
    const killGroup = () => process.kill(-process.pid, 'SIGKILL');
    process.on('exit', killGroup);
    setTimeout(killGroup, GRACE_MS).unref();
    process.kill(-process.pid, 'SIGTERM');
  });
  process.stdin.on('error', () => undefined);
  process.stdin.resume();
  // Waiting for the parent's end is no reason to stay alive. (A pipe's stream has unref, which the types leave out.)
  (process.stdin as unknown as { unref?: () => void }).unref?.();
}
