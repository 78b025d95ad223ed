import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Environment } from '../../platform/secrets';

/** The nearest folder above this file with a package.json: the checkout, or the installed package. */
export function projectRoot(): string {
  for (let folder = __dirname; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, 'package.json')) || folder === path.dirname(folder)) return folder;
  }
}

/** Where the sandbox keeps its databases and logs between starts; deleting it means starting afresh. */
export function stateFolder(env: Environment = process.env): string {
  return env['SYNCLINE_STATE_DIR'] ? path.resolve(env['SYNCLINE_STATE_DIR']) : path.join(projectRoot(), '.syncline');
}
