import { readdir, readFile, readlink } from 'node:fs/promises';

const LISTEN = '0A';

/**
 * Who listens on a port, e.g. `node (process 4711)`, when that is cheaply known: Linux only, and only for processes the
 * current user may look into. Undefined otherwise.
 */
export async function portUser(port: number): Promise<string | undefined> {
  const sockets = await listeningSockets(port);
  if (sockets.size === 0) return undefined;
  for (const pid of (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))) {
    const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const file of files) {
      const target = await readlink(`/proc/${pid}/fd/${file}`).catch(() => '');
      if (!sockets.has(target)) continue;
      const command = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'a program');
      return `${command.trim()} (process ${pid})`;
    }
  }
  return undefined;
}

/** Columns of /proc/net/tcp: `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode`, ports in hex. */
async function listeningSockets(port: number): Promise<Set<string>> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const tables = await Promise.all(['tcp', 'tcp6'].map((table) => readFile(`/proc/net/${table}`, 'utf8').catch(() => '')));
  const rows = tables.flatMap((table) => table.split('\n').slice(1)).map((line) => line.trim().split(/\s+/));
  const inodes = rows.filter((row) => row[1]?.endsWith(suffix) && row[3] === LISTEN).map((row) => `socket:[${row[9]}]`);
  return new Set(inodes);
}
