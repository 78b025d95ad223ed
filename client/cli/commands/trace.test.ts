import { fakeContext, fakeLedger, recordedTerminal, runLine } from '../testing/fake-context';
import { recordedTemporal } from '../testing/recorded-temporal';
import { trace } from './trace';

const line = runLine();

async function run(parts: Parameters<typeof fakeContext>[1], options: { redact?: boolean } = {}) {
  const terminal = recordedTerminal();
  const answer = await trace(fakeContext(terminal, parts), line.workflowId, options);
  answer.print(terminal);
  return { exitCode: answer.exitCode, text: terminal.out.join('\n'), json: JSON.stringify(answer.document) };
}

test('every step, the mapped values, and the page in the Web UI', async () => {
  const { exitCode, text } = await run({ ledger: fakeLedger([line]), temporal: recordedTemporal('retried-then-accepted') });
  expect(exitCode).toBe(0);
  for (const part of ['received', 'mapped', 'ada@example.com', 'attempt 1', 'attempt 3', 'accepted']) expect(text).toContain(part);
  expect(text).toContain(`http://localhost:8233/namespaces/default/workflows/${encodeURIComponent(line.workflowId)}/run-1/history`);
  for (const one of text.split('\n').filter((printed) => !printed.includes('http'))) expect(one.length).toBeLessThanOrEqual(100);
});

test('--redact leaves no value of the record, in text or JSON', async () => {
  const parts = { ledger: fakeLedger([line]), temporal: recordedTemporal('rejected') };
  const plain = await run(parts);
  expect(plain.text + plain.json).toContain('ada@example.com');
  const redacted = await run(parts, { redact: true });
  expect(redacted.text + redacted.json).not.toMatch(/ada@example\.com|Lovelace/);
});

test('past retention it says what the ledger still knows', async () => {
  const { exitCode, text, json } = await run({
    ledger: fakeLedger([runLine({ outcome: 'failed', code: 'AUTH', hasBody: true })]),
    temporal: recordedTemporal(),
  });
  expect(exitCode).toBe(1);
  expect(text).toContain('past retention');
  expect(text).toContain('can be replayed');
  expect(JSON.parse(json)).toMatchObject({ pastRetention: true, outcome: 'failed' });
});

test('an event that was not started yet is not past retention', async () => {
  const { exitCode, text } = await run({ ledger: fakeLedger([runLine({ state: 'new', outcome: null, closedAt: null })]), temporal: recordedTemporal() });
  expect(exitCode).toBe(0);
  expect(text).toContain('waits in the inbox');
});

test('a finding is bad news though the run went well', async () => {
  const { exitCode } = await run({ ledger: fakeLedger([runLine({ finding: 'missing' })]), temporal: recordedTemporal('accepted-on-fast-path') });
  expect(exitCode).toBe(1);
});

test('an id that nobody knows is bad news, and says where to look', async () => {
  await expect(run({ ledger: fakeLedger([]), temporal: recordedTemporal() })).rejects.toMatchObject({
    facts: { exitCode: 1, next: expect.stringContaining('syncline runs') },
  });
});

test('Temporal alone is enough for a workflow id', async () => {
  const { exitCode, text } = await run({ temporal: recordedTemporal('accepted-on-fast-path') });
  expect(exitCode).toBe(3);
  expect(text).toContain('mapped');
});
