import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';

type Environment = Record<string, string | undefined>;

/** Where downloaded and unpacked programs are kept between runs and between clones. */
export function cacheFolder(env: Environment = process.env): string {
  if (env.SYNCLINE_CACHE_DIR) return path.resolve(env.SYNCLINE_CACHE_DIR);
  const caches = env.XDG_CACHE_HOME && path.isAbsolute(env.XDG_CACHE_HOME) ? env.XDG_CACHE_HOME : path.join(homedir(), '.cache');
  return path.join(caches, 'syncline');
}

/**
 * Makes `target` exist, once: `make` fills a fresh folder beside it and returns the path that is to become `target`.
 *
 * The last step is a rename, so a reader sees nothing or all of it, even after a crash. Two starters at once both do the
 * work, and it does not matter whose result stays; that is cheaper than a lock which a killed process leaves behind.
 */
export async function installOnce(target: string, make: (folder: string) => Promise<string>): Promise<string> {
  if (await exists(target)) return target;
  await mkdir(path.dirname(target), { recursive: true });
  const folder = await mkdtemp(`${target}.new-`);
  try {
    const made = await make(folder);
    await rename(made, target).catch(async (error: unknown) => {
      // A folder cannot be renamed over a folder with files in it: the other starter was first.
      if (!(await exists(target))) throw error;
    });
    return target;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
