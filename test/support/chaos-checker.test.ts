import { accepted, sampleAttempt } from './sample-run';
import { checkRun, grownRepeats, repeatedWrites, type ChaosRun, type SentEvent } from './chaos-checker';
import type { RecordOutcome, TerminalOutcome } from '../../schemas/outcome';

const ada = 'ada@example.com';

function event(id: string, at: number, properties: Record<string, string>, more: Partial<SentEvent> = {}): SentEvent {
  return { syncId: 'customers', workflowId: id, key: ada, at, properties, expect: 'landed', posts: 1, acks: 1, ...more };
}

/** Two versions of a contact in order, one that came too late, one that breaks its contract, one of another sync. */
function goodRun(): ChaosRun {
  const sent = [
    event('v1', 1, { first: 'a1', phone: '+1' }),
    event('v3', 3, { first: 'a3' }),
    event('v2', 2, { first: 'a2' }),
    event('bad', 4, {}, { key: null, expect: 'invalid' }),
    event('order', 9, { total: '9.00' }, { syncId: 'orders' }),
  ];
  const outcomes: Record<string, TerminalOutcome> = { v1: 'accepted', v3: 'accepted', v2: 'superseded', bad: 'invalid', order: 'accepted' };
  const outcomeOf = (id: string): RecordOutcome => ({ ...accepted(), outcome: outcomes[id] as TerminalOutcome });
  return {
    sent,
    ledger: sent.map(({ workflowId }, arrival) => ({
      workflowId,
      arrival,
      state: 'closed',
      outcome: outcomes[workflowId] as TerminalOutcome,
      attempts: 1,
      duplicates: 0,
    })),
    runs: sent.map(({ workflowId }) => ({
      workflowId,
      runId: `run-${workflowId}`,
      startedAt: 1,
      status: workflowId === 'bad' ? 'FAILED' : 'COMPLETED',
      outcome: outcomeOf(workflowId),
      interruptions: 0,
    })),
    records: [
      {
        key: ada,
        properties: { email: ada, first: 'a3', phone: '+1', total: '9.00' },
        version: 3,
        history: [{ properties: { first: 'a1', phone: '+1' } }, { properties: { total: '9.00' } }, { properties: { first: 'a3' } }],
      },
    ],
  };
}

/** What the checker says once `plant` has spoilt a good run. */
function found(plant: (run: ChaosRun) => void): string[] {
  const run = goodRun();
  plant(run);
  return checkRun(run).map(({ kind, of }) => `${kind} ${of}`);
}

const row = (run: ChaosRun, id: string) => run.ledger.find(({ workflowId }) => workflowId === id)!;
const runOf = (run: ChaosRun, id: string) => run.runs.find(({ workflowId }) => workflowId === id)!;

test('a good run has no problems', () => {
  expect(found(() => undefined)).toEqual([]);
});

describe('planted losses', () => {
  test.each<[string, string[], (run: ChaosRun) => void]>([
    ['an inbox row is gone', ['lost order'], (run) => void (run.ledger = run.ledger.filter(({ workflowId }) => workflowId !== 'order'))],
    ['the record is gone', ['lost v1', 'lost v3', 'lost order', `lost ${ada}`], (run) => void (run.records = [])],
    [
      'one write is gone',
      ['lost order', `value ${ada}`],
      (run) => {
        run.records[0]!.history.splice(1, 1);
        run.records[0]!.version--;
        delete run.records[0]!.properties['total'];
      },
    ],
    ['the run is gone', ['lost v3'], (run) => void (run.runs = run.runs.filter(({ workflowId }) => workflowId !== 'v3'))],
    ['a row never closed', ['lost v3'], (run) => void Object.assign(row(run, 'v3'), { state: 'started', outcome: null })],
    ['the provider gave up', ['lost v3'], (run) => void (run.sent[1]!.acks = 0)],
  ])('%s', (_name, problems, plant) => expect(found(plant)).toEqual(expect.arrayContaining(problems)));
});

describe('planted duplicates', () => {
  test.each<[string, string[], (run: ChaosRun) => void]>([
    ['two outcomes', ['duplicate v3'], (run) => void run.ledger.push({ ...row(run, 'v3') })],
    [
      'two good runs',
      ['duplicate v3'],
      (run) => {
        run.sent[1]!.posts = 2;
        run.runs.push({ ...runOf(run, 'v3'), runId: 'again', startedAt: 2 });
      },
    ],
    [
      'a second write that nothing explains',
      ['duplicate v3'],
      (run) => {
        run.records[0]!.history.push({ properties: { first: 'a3' } });
        run.records[0]!.version++;
      },
    ],
    ['a redelivery that was not counted', ['duplicate v3'], (run) => void Object.assign(run.sent[1]!, { posts: 2, acks: 2 })],
  ])('%s', (_name, problems, plant) => expect(found(plant)).toEqual(problems));

  test('a second write after an ambiguous attempt is declared, and counted', () => {
    const run = goodRun();
    run.records[0]!.history.push({ properties: { first: 'a3' } });
    run.records[0]!.version++;
    runOf(run, 'v3').outcome!.attempts = [sampleAttempt({ status: null, ambiguous: true })];
    expect(checkRun(run)).toEqual([]);
    expect([repeatedWrites(run), grownRepeats(run)]).toEqual([1, 0]);
    // … also one that an enrichment answered only the second time: it tells the vendor something new.
    run.sent[1]!.optional = { score: '7' };
    run.records[0]!.history.at(-1)!.properties.score = '7';
    run.records[0]!.properties.score = '7';
    expect(checkRun(run)).toEqual([]);
    expect([repeatedWrites(run), grownRepeats(run)]).toEqual([1, 1]);
  });
});

test('planted: an older value overwrote a newer one', () => {
  const late = (run: ChaosRun) => {
    run.records[0]!.history.push({ properties: { first: 'a2' } });
    run.records[0]!.version++;
    run.records[0]!.properties['first'] = 'a2';
  };
  expect(found(late)).toEqual([`order ${ada}`, `value ${ada}`]);
  // Also when the end state was mended afterwards.
  const mended = (run: ChaosRun) => {
    late(run);
    run.records[0]!.history.push({ properties: { first: 'a3' } });
    run.records[0]!.version++;
    run.records[0]!.properties['first'] = 'a3';
    runOf(run, 'v3').interruptions = 1;
  };
  expect(found(mended)).toEqual([`order ${ada}`]);
});

test('equal source times go by arrival', () => {
  const tie = (run: ChaosRun) => {
    run.sent[0]!.at = 3;
    row(run, 'v1').arrival = 7;
  };
  expect(found(tie)).toEqual(expect.arrayContaining([`order ${ada}`]));
});

describe('planted wrong outcomes', () => {
  test.each<[string, string[], (run: ChaosRun) => void]>([
    [
      'the newest is called superseded',
      ['outcome v3'],
      (run) => {
        row(run, 'v3').outcome = 'superseded';
        runOf(run, 'v3').outcome!.outcome = 'superseded';
      },
    ],
    [
      'superseded, though the newer does not write every field',
      ['outcome v1'],
      (run) => {
        row(run, 'v1').outcome = 'superseded';
        runOf(run, 'v1').outcome!.outcome = 'superseded';
      },
    ],
    ['a broken contract is called skipped', ['outcome bad', 'outcome bad', 'outcome bad'], (run) => void (row(run, 'bad').outcome = 'skipped')],
    ['the ledger and the run disagree', ['outcome v2', 'lost v2'], (run) => void (row(run, 'v2').outcome = 'accepted')],
    [
      'a failed run',
      ['outcome v3', 'outcome v3'],
      (run) => {
        row(run, 'v3').outcome = 'failed';
        runOf(run, 'v3').outcome!.outcome = 'failed';
      },
    ],
    ['attempts are missing in the ledger', ['outcome v3'], (run) => void (row(run, 'v3').attempts = 0)],
    [
      'a value nobody sent',
      [`unknown ${ada}`, `value ${ada}`],
      (run) => {
        run.records[0]!.history[2]!.properties = { first: 'zzz' };
        run.records[0]!.properties['first'] = 'zzz';
      },
    ],
    ['a record nobody wrote', ['unknown eve@example.com'], (run) => void run.records.push({ key: 'eve@example.com', properties: {}, version: 0, history: [] })],
    ['a row nobody sent', ['unknown ghost'], (run) => void run.ledger.push({ ...row(run, 'v1'), workflowId: 'ghost' })],
  ])('%s', (_name, problems, plant) => expect(found(plant)).toEqual(expect.arrayContaining(problems)));
});
