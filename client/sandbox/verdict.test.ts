import type { DoorCount, Funnel, RunLine } from '../../ledger/port';
import { samplesFor } from './samples';
import type { SimulatedRecord } from './simulators';
import type { SentSample } from './traffic';
import { type Evidence, inWords, interesting, judge } from './verdict';

const clock = { tag: 'test', now: Date.UTC(2026, 10, 22) };

/** The evidence of a round in which everything went as it should. */
function goodRound(): Evidence {
  const sent = samplesFor(clock).map((sample, index): SentSample => {
    const status = { new: 202, duplicate: 200, ignored: 200, refused: 401 }[sample.door];
    const runs = sample.door === 'new' || sample.door === 'duplicate' ? [{ syncId: 'a-sync', workflowId: `w-${index}`, receipt: sample.door }] : [];
    return { sample, answer: { status, code: '', tries: 1, runs } };
  });
  const fresh = sent.filter(({ sample }) => sample.door === 'new');
  const runs = fresh.map(({ sample, answer }) =>
    line({ workflowId: answer.runs[0]?.workflowId ?? '', outcome: sample.outcome ?? null, code: sample.code ?? null, attempts: 3 }),
  );
  const records = new Map<string, SimulatedRecord>();
  for (const { sample } of sent) {
    if (!sample.lands) continue;
    const { email: key, properties } = sample.lands;
    records.set(key, { key, version: 1, properties: { email: key, ...records.get(key)?.properties, ...properties } });
  }
  return { sent, runs, funnels: [funnelOf(runs)], door: [door('ignored'), door('bad_signature')], records: [...records.values()] };
}

function line(parts: Partial<RunLine>): RunLine {
  return {
    syncId: 'a-sync',
    source: 'shopify',
    account: 'shop',
    eventId: 'e',
    topic: 't',
    workflowId: '',
    receivedAt: '',
    state: 'closed',
    outcome: 'accepted',
    finding: null,
    code: null,
    cause: null,
    attempts: 1,
    duplicates: 0,
    fallback: false,
    hasBody: false,
    closedAt: '',
    ...parts,
  };
}

function funnelOf(runs: readonly RunLine[]): Funnel {
  const outcomes: Record<string, number> = {};
  for (const { outcome } of runs) if (outcome) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  const running = runs.filter(({ outcome }) => outcome === null).length;
  return { syncId: 'a-sync', received: runs.length, duplicates: 1, waitingToStart: 0, running, outcomes, findings: {}, causes: [] };
}

const door = (reason: string): DoorCount => ({ syncId: null, source: 'shopify', account: 'shop', reason, count: 1 });

test('a round in which all went well', () => {
  const verdict = judge(goodRound());
  expect(verdict.problems).toEqual([]);
  expect(verdict.ok).toBe(true);
  expect(interesting(verdict.fates)?.outcome).toBe('invalid');
});

test('a lost inbox row is found twice: its fate is missing, and acknowledged is more than received', () => {
  const round = goodRound();
  const runs = round.runs.slice(1);
  const { ok, problems, equations } = judge({ ...round, runs, funnels: [funnelOf(runs)] });
  expect(ok).toBe(false);
  expect(problems[0]).toContain('acknowledged as w-0, but the ledger has no row of it');
  expect(equations.map(({ holds }) => holds)).toEqual([false, false, true]);
});

test('an event without an outcome does not balance', () => {
  const round = goodRound();
  const runs = round.runs.map((run, index) => (index === 0 ? { ...run, outcome: null } : run));
  const { ok, equations } = judge({ ...round, runs, funnels: [funnelOf(runs)] });
  expect(ok).toBe(false);
  expect(equations[2]).toMatchObject({ right: { open: 1 }, holds: false });
});

test('an outcome other than expected', () => {
  const round = goodRound();
  const runs = round.runs.map((run, index) => (index === 0 ? { ...run, outcome: 'failed' as const, code: 'UNAVAILABLE' } : run));
  expect(judge({ ...round, runs }).problems[0]).toContain('ended failed (UNAVAILABLE), expected accepted');
});

test('a refusal that was counted nowhere', () => {
  const round = goodRound();
  expect(judge({ ...round, door: round.door.slice(1) }).problems).toEqual([expect.stringContaining('does not balance: sent')]);
});

test.each([
  ['a record that is missing', (records: SimulatedRecord[]) => records.slice(1), 'the CRM has no record of ada@example.com'],
  [
    'a value of its own',
    ([first, ...rest]: SimulatedRecord[]) => [{ ...first!, properties: { ...first!.properties, firstname: 'Other' } }, ...rest],
    'firstname is "Other" in the CRM, expected "Ada"',
  ],
  [
    'a record nobody asked for',
    (records: SimulatedRecord[]) => [...records, { key: 'mallory@example.com', version: 1, properties: {} }],
    'mallory@example.com that nothing should have made',
  ],
])('%s in the CRM', (_, change, problem) => {
  const round = goodRound();
  const { ok, problems } = judge({ ...round, records: change([...round.records]) });
  expect(ok).toBe(false);
  expect(problems).toEqual([expect.stringContaining(problem)]);
});

test('sums in words', () => {
  expect(inWords({ accepted: 2, skipped: 1 })).toBe('accepted 2 + skipped 1');
  expect(inWords({})).toBe('nothing');
});
