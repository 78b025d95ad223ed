import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { run } from './run';

/** A sandbox that was killed takes a few seconds to end its servers (watchdog.ts); a live one does not end at all. */
const TIMEOUT_MS = 15_000;

/**
 * Waits until no Temporal server uses `dbFile`: two on one SQLite file start well and then fail each other's writes.
 * The server takes no lock of its own, so its process id is kept beside the file (see {@link noteOwner}).
 */
export async function waitForPredecessor(dbFile: string): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS;
  for (;;) {
    const pid = (await readFile(ownerFile(dbFile), 'utf8').catch(() => '')).trim();
    if (!pid || !(await isServer(pid, dbFile))) return;
    if (Date.now() > deadline) throw new Error(`A Temporal server already uses ${dbFile} (process ${pid}): is another sandbox running? Stop it first.`);
    await delay(200);
  }
}

/** Notes which process uses `dbFile`. Never removed: an id that is gone, or now another program's, counts for nothing. */
export async function noteOwner(dbFile: string, pid: number): Promise<void> {
  await writeFile(ownerFile(dbFile), `${pid}\n`);
}

function ownerFile(dbFile: string): string {
  return `${dbFile}.pid`;
}

/** Ids are reused, so the process must also have the file on its command line. */
async function isServer(pid: string, dbFile: string): Promise<boolean> {
  const { ok, output } = await run('ps', ['-p', pid, '-o', 'args='], { timeoutMs: 5000 });
  return ok && output.includes(dbFile);
}
