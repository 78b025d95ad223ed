import { bundleWorkflowCode } from '@temporalio/worker';
import path from 'node:path';

/** The workflows as one script for the sandbox. In a build, `workflows/index.js` next to this file is bundled likewise. */
export async function workflowBundle(): Promise<{ code: string }> {
  const extension = path.extname(__filename);
  const { code } = await bundleWorkflowCode({
    workflowsPath: path.resolve(__dirname, `../workflows/index${extension}`),
    logger: quiet,
  });
  return { code };
}

/** The bundler reports its size and timing on every start; only trouble is news. */
const quiet = {
  log: () => undefined,
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: (message: string) => process.stderr.write(`${message}\n`),
  error: (message: string) => process.stderr.write(`${message}\n`),
};
