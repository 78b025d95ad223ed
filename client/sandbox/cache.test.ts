import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { cacheFolder, installOnce } from './cache';

test.each([
  [{ SYNCLINE_CACHE_DIR: '/c', XDG_CACHE_HOME: '/x' }, '/c'],
  [{ XDG_CACHE_HOME: '/x' }, '/x/syncline'],
  [{ XDG_CACHE_HOME: 'relative' }, path.join(os.homedir(), '.cache', 'syncline')], // to be ignored, says the XDG standard
  [{}, path.join(os.homedir(), '.cache', 'syncline')],
])('cache folder for %j', (env, expected) => {
  expect(cacheFolder(env)).toBe(expected);
});

describe('installOnce', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(path.join(os.tmpdir(), 'syncline-cache-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const tree = async (fresh: string) => {
    const made = path.join(fresh, 'tree');
    await mkdir(made);
    await writeFile(path.join(made, 'file'), '');
    return made;
  };

  test('a failure leaves nothing behind and the next try starts afresh', async () => {
    const target = path.join(folder, 'tree');
    await expect(installOnce(target, () => Promise.reject(new Error('disk full')))).rejects.toThrow('disk full');
    expect(await readdir(folder)).toEqual([]);
    expect(await installOnce(target, tree)).toBe(target);
  });

  test('two at once, of a folder: the first stays, the second does not fail', async () => {
    const target = path.join(folder, 'tree');
    expect(await Promise.all([installOnce(target, tree), installOnce(target, tree)])).toEqual([target, target]);
    expect(await readdir(folder)).toEqual(['tree']);
  });
});
