import { shopify } from '../../connectors/shopify/webhooks';
import { runCli } from '../support/run-cli';
import { customerBody, startStack, type Stack } from '../support/stack';

jest.setTimeout(120_000);

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ name: 'cli' });
  await stack.hubspot.fault({ kind: 'partial', emails: ['typo@example.com'], code: 'INVALID_EMAIL', message: 'Email address typo@example.com is invalid' });
  for (const [id, body] of [
    ['e-1', customerBody('ada@example.com')],
    ['e-2', customerBody('typo@example.com')],
    ['e-3', customerBody('bob@example.com', { first_name: 42 })],
  ] as const) {
    await stack.post('/webhooks/shop-customer-to-crm', shopify, 'customers/update', id, body);
  }
  await stack.settled(3);
});
afterAll(() => stack?.stop());

const syncline = (...args: string[]) => runCli(stack.env, ...args);

test('runs: counts by outcome and cause, then a line each', async () => {
  const { code, out } = await syncline('runs');
  expect(code).toBe(0);
  expect(out).toMatch(/accepted\s+1/);
  expect(out).toMatch(/rejected\s+1\s+INVALID_EMAIL/);
  expect(out).toMatch(/invalid\s+1\s+CONTRACT_VIOLATION/);
  expect(out).not.toContain('@example.com');
  const { json } = await syncline('runs', '--outcome', 'rejected', '--json');
  expect(JSON.stringify(json)).toContain('INVALID_EMAIL');
});

test.each(['ada@example.com', 'e-1'])('trace %s: from the door to the vendor’s id', async (what) => {
  const { code, out } = await syncline('trace', what);
  expect(code).toBe(0);
  for (const step of ['received', 'mapped', 'attempt 1', 'accepted', 'vendor id', '/workflows/']) expect(out).toContain(step);
  expect(out).toMatch(/20[07] OK/); // 207 when it shared its call with a record that was refused
});

test('trace of a rejected record: the vendor’s words, exit 1', async () => {
  const { code, out } = await syncline('trace', 'typo@example.com');
  expect(code).toBe(1);
  expect(out).toContain('INVALID_EMAIL');
  expect(out.replaceAll(/\s+/g, ' ')).toContain('Email address typo@example.com is invalid'); // wrapped to the terminal
});

test('trace of something unknown says so', async () => {
  const { code, err, out } = await syncline('trace', 'nobody@example.com');
  expect(code).toBe(1);
  expect(err + out).toMatch(/nothing|no event|not found/i);
});

test('replay: dry run shows, refuses what landed, and sends what failed after the cause is gone', async () => {
  const dry = await syncline('replay', 'e-2', '--dry-run');
  expect(dry.code).toBe(0);
  expect(dry.out).toContain('typo@example.com');
  const landed = await syncline('replay', 'e-1', '--yes');
  expect(landed.code).toBe(1);
  expect(landed.out + landed.err).toContain('--resend');

  await stack.hubspot.clearFaults();
  const replayed = await syncline('replay', 'e-2', '--yes', '--wait');
  expect({ code: replayed.code, out: replayed.out }).toMatchObject({ code: 0, out: expect.stringContaining('accepted') });
  expect((await stack.hubspot.records()).map((record) => record.key)).toContain('typo@example.com');
  const { json } = await syncline('trace', 'e-2', '--json');
  expect(JSON.stringify(json)).toContain('INVALID_EMAIL'); // the first run is still told
});

test('doctor: everything it checks is well in a running sandbox', async () => {
  const { code, json } = await syncline('doctor', '--json');
  expect(code).toBe(0);
  expect(JSON.stringify(json)).toContain('search attributes');
});

test.each([
  [['frobnicate'], 2],
  [['runs', '--outcome', 'lost'], 2],
  [['runs', '--since', 'yesterday'], 2],
])('usage: %j exits %d, says what is expected, without a stack', async (args, expected) => {
  const { code, err } = await syncline(...args);
  expect(code).toBe(expected);
  expect(err).not.toMatch(/\n\s+at /);
  expect(err.length).toBeGreaterThan(10);
});

test('unreachable: exit 3, with what to do', async () => {
  const { code, err } = await runCli({ ...stack.env, SYNCLINE_DATABASE_URL: 'postgres://a:b@127.0.0.1:1/x' }, 'runs');
  expect(code).toBe(3);
  expect(err).toContain('SYNCLINE_DATABASE_URL');
  expect(err).not.toContain('a:b@');
});
