import { spawnStart, startFolder } from '../support/start-process';

jest.setTimeout(180_000);

/** `npm start -- --once --json` in a folder for temporary files of its own, to see what it leaves there. */
async function startOnce(env: Record<string, string>, interruptAt?: string) {
  const folder = startFolder();
  const start = spawnStart(['--once', '--json'], { ...env, TMPDIR: folder.path });
  if (interruptAt !== undefined) await start.said('stderr', interruptAt).then(() => start.child.kill('SIGINT'));
  const ended = await start.ended;
  const left = { processes: await folder.processes(), files: folder.files() };
  folder.remove();
  return { ...ended, left };
}

const nothing = { processes: [], files: [] };
/** What it found, as JSON on its last line; one that could not begin says why instead. */
function verdictOf({ stdout, stderr }: { stdout: string; stderr: string }): Record<string, any> {
  try {
    return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, any>;
  } catch {
    throw new Error(`it came to no verdict:\n${stdout}\n${stderr}`);
  }
}

// Real settings that it must not touch: nothing answers at these addresses.
const elsewhere = { TEMPORAL_ADDRESS: '127.0.0.1:9', SYNCLINE_DATABASE_URL: 'postgres://127.0.0.1:9/production', SYNCLINE_MODE: 'real' };
// The simulator says yes to one record and keeps nothing: what a loss at the vendor looks like.
const lie = JSON.stringify([{ kind: 'lying200', match: { email: 'ada@example.com' }, times: 'forever' }]);

describe('the samples to their end', () => {
  let honest: ReturnType<typeof startOnce>;
  let lying: ReturnType<typeof startOnce>;
  beforeAll(() => {
    // Side by side: each spends most of its time waiting for a simulated timeout.
    honest = startOnce(elsewhere);
    lying = startOnce({ ...elsewhere, SYNCLINE_SANDBOX_EXTRA_FAULTS: lie });
  });

  test('the count is right, and nothing stays behind', async () => {
    const { code, stdout, stderr, left } = await honest;
    const { ok, problems, equations, fates, records } = verdictOf({ stdout, stderr });
    expect({ code, ok, problems, left, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, ok: true, problems: [], left: nothing, stderr: '' });
    expect(equations.every((equation: { holds: boolean }) => equation.holds)).toBe(true);
    expect(equations[2].right).toEqual({ accepted: 10, skipped: 2, invalid: 1, rejected: 1, superseded: 1 });
    expect(records).toEqual({ expected: 7, found: 7 });
    expect(new Set(fates.map(({ door }: { door: string }) => door))).toEqual(new Set(['new', 'duplicate', 'ignored', 'refused']));
    expect(fates.find(({ fallback }: { fallback: boolean }) => fallback)).toMatchObject({ outcome: 'accepted' });
  });

  test('a planted loss is found: exit 1, and it says what is missing', async () => {
    const { code, stdout, stderr, left } = await lying;
    const { ok, problems } = verdictOf({ stdout, stderr });
    expect({ code, ok, left }).toEqual({ code: 1, ok: false, left: nothing });
    // Records that shared the call with hers are lost with her.
    expect(problems).toContain('the CRM has no record of ada@example.com');
  });
});

test('Ctrl-C in the middle of the start: nothing stays behind', async () => {
  const { code, stderr, left } = await startOnce(elsewhere, '✓ PostgreSQL');
  expect({ code, left }).toEqual({ code: 1, left: nothing });
  expect(stderr).toContain('stopped before the samples had ended');
});
