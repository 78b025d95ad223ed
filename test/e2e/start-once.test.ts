import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

jest.setTimeout(180_000);

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
  /** Process groups that `ps` still shows with something of this run on their command line. */
  left: string[];
  files: string[];
}

/** `npm start -- --once --json` as a process, with a temporary folder of its own to see what it leaves there. */
async function startOnce(env: Record<string, string>): Promise<Ended> {
  const tmp = mkdtempSync(path.join(os.tmpdir(), 'once-'));
  // PostgreSQL may run as another user, who must get through.
  await run('chmod', ['755', tmp], {});
  const args = [path.resolve(__dirname, '../../bin/syncline.js'), 'start', '--once', '--json'];
  const ended = await run(process.execPath, args, { ...env, TMPDIR: tmp });
  const { stdout: processes } = await run('ps', ['-eo', 'args'], {});
  const left = processes.split('\n').filter((line) => line.includes(tmp));
  const files = readdirSync(tmp).filter((name) => name.startsWith('syncline'));
  rmSync(tmp, { recursive: true, force: true });
  return { ...ended, left, files };
}

function run(command: string, args: string[], env: Record<string, string>): Promise<Omit<Ended, 'left' | 'files'>> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

const lastLine = (text: string) => text.trimEnd().split('\n').at(-1) ?? '';

// Real settings that it must not touch: nothing answers at these addresses.
const elsewhere = { TEMPORAL_ADDRESS: '127.0.0.1:9', SYNCLINE_DATABASE_URL: 'postgres://127.0.0.1:9/production', SYNCLINE_MODE: 'real' };
// The simulator says yes to one record and keeps nothing: what a loss at the vendor looks like.
const lie = JSON.stringify([{ kind: 'lying200', match: { email: 'ada@example.com' }, times: 'forever' }]);

// Side by side: each spends most of its time waiting for a simulated timeout.
const honest = startOnce(elsewhere);
const lying = startOnce({ ...elsewhere, SYNCLINE_SANDBOX_EXTRA_FAULTS: lie });

test('the samples to their end: the count is right, and nothing stays behind', async () => {
  const { code, stdout, stderr, left, files } = await honest;
  const { ok, problems, equations, fates, records } = JSON.parse(lastLine(stdout)) as Record<string, any>;
  expect({ code, ok, problems, left, files, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, ok: true, problems: [], left: [], files: [], stderr: '' });
  expect(equations.every((equation: { holds: boolean }) => equation.holds)).toBe(true);
  expect(equations[2].right).toEqual({ accepted: 10, skipped: 2, invalid: 1, rejected: 1, superseded: 1 });
  expect(records).toEqual({ expected: 7, found: 7 });
  expect(new Set(fates.map(({ door }: { door: string }) => door))).toEqual(new Set(['new', 'duplicate', 'ignored', 'refused']));
  expect(fates.find(({ fallback }: { fallback: boolean }) => fallback)).toMatchObject({ outcome: 'accepted' });
});

test('a planted loss is found: exit 1, and it says what is missing', async () => {
  const { code, stdout, left } = await lying;
  const { ok, problems } = JSON.parse(lastLine(stdout)) as { ok: boolean; problems: string[] };
  expect({ code, ok, left }).toEqual({ code: 1, ok: false, left: [] });
  // Records that shared the call with hers are lost with her.
  expect(problems).toContain('the CRM has no record of ada@example.com');
});
