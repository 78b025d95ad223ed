import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** dlt in a Python of its own. */
export interface Dlt {
  version: string;
  /** One pipeline over all rows; seconds. */
  run(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts it, or says why there is none. `SYNCLINE_BENCH_PYTHON`: a Python that has it. */
export async function startDlt(env: Record<string, string>, { batch, calls }: { batch: number; calls: number }): Promise<Dlt | { missing: string }> {
  const python = process.env['SYNCLINE_BENCH_PYTHON'] ?? 'python3';
  const there = spawnSync(python, ['-c', 'import dlt, psycopg, requests'], { encoding: 'utf8' });
  if (there.error || there.status !== 0) {
    const why = there.error?.message ?? there.stderr.trim().split('\n').at(-1) ?? 'it ended';
    return { missing: `${python}: ${why}. SYNCLINE_BENCH_PYTHON names a Python with: pip install dlt==1.31.0 'psycopg[binary]' requests` };
  }
  const rotate = '2500'; // rows per file: as many files at a time as calls
  const settings = { DATA_WRITER__FILE_MAX_ITEMS: rotate, LOAD__WORKERS: String(calls), RUNTIME__DLTHUB_TELEMETRY: 'false', RUNTIME__LOG_LEVEL: 'ERROR' };
  const child = spawn(python, [path.join(__dirname, 'run-dlt.py'), String(batch), String(calls)], {
    env: { ...process.env, ...env, ...settings, NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<{ dlt?: string; seconds?: number }> => {
    const { value, done } = (await lines.next()) as { value?: string; done?: boolean };
    if (done || value === undefined) throw new Error('dlt ended; what it said is above');
    return JSON.parse(value) as { dlt?: string; seconds?: number };
  };
  const { dlt: version = '?' } = await answer();
  return {
    version,
    async run() {
      child.stdin.write('run\n');
      return (await answer()).seconds ?? NaN;
    },
    stop: () =>
      new Promise((resolve) => {
        child.once('close', () => resolve());
        child.stdin.end('\n');
      }),
  };
}
