import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import type { Ledger, RunLine } from '../../ledger/port';
import { main } from './main';
import { fakeContext, fakeLedger, recordedTerminal, runLine, testKeyHmac } from './testing/fake-context';

async function run(args: string[], ledger?: Ledger) {
  const terminal = recordedTerminal();
  const exitCode = await main(args, { terminal, env: {}, openContext: () => fakeContext(terminal, ledger ? { ledger } : {}) });
  return { exitCode, out: terminal.out.join('\n'), err: terminal.err.join('\n') };
}

const failed = runLine({
  eventId: 'customers/update~e-2~0022',
  workflowId: 'shop-customer-to-crm/shop/customers%2Fupdate~e-2~0022',
  receivedAt: '2026-11-22T11:59:30.000Z',
  outcome: 'failed',
  code: 'UNAVAILABLE',
  cause: '5 attempts used up: HubSpot is unavailable, 503',
  attempts: 5,
  hasBody: true,
});

describe('usage', () => {
  test.each([
    [['runz'], "unknown command 'runz'"],
    [['runs', '--nope'], "unknown option '--nope'"],
    [['runs', '--outcome', 'lost'], 'Allowed choices are verified, accepted'],
    [['runs', '--limit', '0'], 'whole number'],
    [['runs', '--since', 'yesterday'], '"yesterday" is not a time'],
    [['runs', '--sync', 'nope'], 'there is no sync "nope"'],
    [['trace'], "missing required argument 'id'"],
    [['trace', 'a', 'b'], 'too many arguments'],
    [['replay'], 'nothing was chosen'],
    [['replay', 'e-1', '--sync', 'shop-customer-to-crm'], 'ids and a filter were given together'],
    [['replay', '--outcome', 'open'], 'open event'],
    [['replay', '--outcome', 'accepted'], 'records that are accepted have landed'],
    [['replay', 'e-1', '--from', 'delivery', '--resend'], '--from delivery'],
    [['contracts', 'nope'], 'there is no contract "nope"'],
  ])('%j is refused with 2 and says what is expected', async (args, message) => {
    const { exitCode, out, err } = await run(args, fakeLedger([]));
    expect(exitCode).toBe(2);
    expect(err).toContain(message);
    expect(err).toMatch(/expected|next/);
    expect(err).not.toMatch(/\n\s+at /);
    expect(out).toBe('');
  });

  test('`table` alone shows its help and ends with 2', async () => {
    const { exitCode, out, err } = await run(['table']);
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' });
    expect(err).toMatch(/^Usage: syncline table[\s\S]+debts \[options\] \[sync\]/);
    expect(err).not.toMatch(/error|outputHelp/);
    const json = await run(['table', '--json']);
    expect(JSON.parse(json.out)).toMatchObject({ error: { exitCode: 2, what: expect.stringContaining('say which') } });
  });

  test('with --json the error is the one document on stdout', async () => {
    const { exitCode, out } = await run(['runs', '--nope', '--json']);
    expect(exitCode).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ error: { exitCode: 2, what: expect.stringContaining('--nope') } });
  });

  test.each([[[]], [['--help']], [['help']], [['runs', '--help']], [['help', 'replay']]])('%j shows help and ends with 0', async (args) => {
    const { exitCode, out } = await run(args);
    expect(exitCode).toBe(0);
    expect(out).toContain('Usage: syncline');
  });
});

describe('runs', () => {
  test('counts by outcome and cause, then the newest first, then what to do next', async () => {
    const { exitCode, out } = await run(['runs'], fakeLedger([runLine(), failed]));
    expect(exitCode).toBe(0);
    expect(out).toContain('2 events');
    expect(out.indexOf('e-2')).toBeLessThan(out.indexOf('e-1'));
    expect(out).toContain(`npx syncline trace ${failed.workflowId}`);
    expect(out).toContain('npx syncline replay --sync shop-customer-to-crm --outcome failed --cause UNAVAILABLE --dry-run');
    expect(
      Math.max(
        ...out
          .split('\n')
          .filter((line) => !line.includes('npx'))
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(100);
  });

  test('finds a record by e-mail under the current and the previous secret', async () => {
    const older = testKeyHmac.all('ada@example.com')[1] ?? '';
    const ledger = fakeLedger([runLine(), failed], (line: RunLine) => (line === failed ? [older] : []));
    const { out } = await run(['runs', '--key', 'Ada@Example.com', '--json'], ledger);
    expect(JSON.parse(out)).toMatchObject({ total: 1, runs: [{ eventId: failed.eventId }] });
  });

  test('says so when nothing fits', async () => {
    expect((await run(['runs', '--outcome', 'expired'], fakeLedger([runLine()]))).out).toContain('Nothing in the ledger fits');
    expect((await run(['runs'], fakeLedger([]))).out).toContain('no event has come in yet');
  });

  test('ends with 3 when the database is away', async () => {
    const { exitCode, err } = await run(['runs']);
    expect(exitCode).toBe(3);
    expect(err).toContain('the database does not answer');
  });
});

describe('trace', () => {
  test('lists several matches, oldest first', async () => {
    const ledger = fakeLedger([failed, runLine()], () => testKeyHmac.all('ada@example.com'));
    const { exitCode, out } = await run(['trace', 'ada@example.com'], ledger);
    expect(exitCode).toBe(0);
    expect(out.indexOf('e-1')).toBeLessThan(out.indexOf('e-2'));
    expect(out).toContain(`npx syncline trace ${failed.workflowId}`);
  });

  test.each(['customers/update~e-2~0022', failed.workflowId, 'e-2', 'customers/upd…0022'])(
    'finds the event by %s; the ledger answers while Temporal is away',
    async (id) => {
      const { exitCode, out, err } = await run(['trace', id], fakeLedger([runLine(), failed]));
      expect(exitCode).toBe(3);
      expect(out).toContain('UNAVAILABLE: 5 attempts used up');
      expect(err).toContain('warning: Temporal does not answer');
    },
  );

  test('an id the ledger does not know is not called unknown while Temporal can’t be asked', async () => {
    expect((await run(['trace', 'nobody@example.com'], fakeLedger([]))).exitCode).toBe(3);
  });
});

describe('replay', () => {
  test('of more than one event without a terminal wants --yes', async () => {
    const { exitCode, err } = await run(['replay', '--outcome', 'failed'], fakeLedger([failed, { ...failed, workflowId: 'other', eventId: 'other' }]));
    expect(exitCode).toBe(2);
    expect(err).toContain('2 events would be replayed, and nobody agreed');
  });

  test('of nothing says so', async () => {
    const { exitCode, out } = await run(['replay', '--outcome', 'failed'], fakeLedger([]));
    expect(exitCode).toBe(0);
    expect(out).toContain('there is nothing to replay');
  });
});

describe('syncs and contracts', () => {
  test('need neither Temporal nor a database', async () => {
    expect(await run(['syncs'])).toMatchObject({ exitCode: 0, out: expect.stringContaining('shop-customer-to-crm') });
    expect(await run(['contracts'])).toMatchObject({ exitCode: 0, out: expect.stringContaining('shop.customer@1') });
    expect(JSON.parse((await run(['contracts', 'shop.customer', '--json-schema', '--json'])).out)).toMatchObject({ $id: 'shop.customer@1' });
  });

  test('every command’s --json prints exactly one document', async () => {
    for (const args of [['runs'], ['syncs'], ['contracts'], ['contracts', 'shop.customer']]) {
      const { out } = await run([...args, '--json'], fakeLedger([failed]));
      expect(() => JSON.parse(out) as unknown).not.toThrow();
    }
  });
});

describe('as a process', () => {
  const bin = path.join(__dirname, '..', '..', 'bin', 'syncline.js');
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], TEMPORAL_ADDRESS: '127.0.0.1:1' };

  test('prints help on stdout, without colours in a pipe', () => {
    const out = execFileSync(process.execPath, [bin, '--help'], { env, encoding: 'utf8' });
    expect(out).toContain('Usage: syncline');

    expect(out).not.toMatch(/\u001b\[/);
  });

  test('exit codes reach the shell; secrets stay out of messages', () => {
    const settings = { ...env, SYNCLINE_MODE: 'sandbox', SYNCLINE_DATABASE_URL: 'postgres://someone:hush-hush@127.0.0.1:1/ledger' };
    const { status, stdout, stderr } = spawnSync(process.execPath, [bin, 'runs', '--json'], { env: settings, encoding: 'utf8' });
    expect(status).toBe(3);
    expect(stderr).toContain('127.0.0.1:1/ledger');
    expect(stdout + stderr).not.toContain('hush-hush');
    expect(JSON.parse(stdout)).toMatchObject({ error: { exitCode: 3 } });
    expect(spawnSync(process.execPath, [bin, 'runs'], { env, encoding: 'utf8' })).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('SYNCLINE_DATABASE_URL is missing'),
    });
  });
});
