import type { RowDebt, TableRunView } from '../../../schemas/table';
import { sampleCounts, sampleTableView } from '../../../test/support/sample-table-run';
import { testTableSyncs } from '../../../test/support/table-syncs';
import type { TemporalAccess } from '../context';
import { main } from '../main';
import { fakeContext, recordedTerminal } from '../testing/fake-context';

const { people } = testTableSyncs('postgres');

interface Served {
  /** What the run under way answers. */
  view: TableRunView | Error;
  /** What the last run that ended answers. */
  before?: TableRunView;
  /** What budgets answer. */
  budget?: object;
  calls?: string[];
}

/** A server with one run, that ends when it is cancelled, and perhaps one that ended before. */
function server({ view, before, budget, calls = [] }: Served): TemporalAccess {
  let status = 'RUNNING';
  const facts = { workflowId: 'people-to-crm/run', runId: 'run-1', startTime: new Date(), closeTime: undefined, raw: { pendingActivities: [] } };
  const handle = {
    workflowId: 'people-to-crm/run',
    describe: async () => ({ ...facts, status: { name: status } }),
    query: async () => {
      if (view instanceof Error) throw view;
      return status === 'RUNNING' ? view : { ...view, state: 'cancelled' };
    },
    executeUpdate: async () => ({ ...view, state: 'planning' }),
    cancel: async () => {
      calls.push('cancel');
      if (!(view instanceof Error)) status = 'CANCELED';
    },
  };
  const closed = { workflowId: 'people-to-crm/run', runId: 'run-0', status: { name: 'COMPLETED' }, closeTime: new Date() };
  const getHandle = (id: string, runId?: string) =>
    id.startsWith('budget/') ? { query: async () => budget } : runId === 'run-0' ? { query: async () => before } : handle;
  const list = async function* () {
    if (before) yield closed;
  };
  const client = {
    options: { loadedDataConverter: { payloadCodecs: [] } },
    workflow: { getHandle, list, count: async () => ({ count: 0 }) },
    withDeadline: (_: number, ask: () => Promise<unknown>) => ask(),
  };
  return { client: client as unknown as TemporalAccess['client'], namespace: 'test', address: 'test:1' };
}

async function syncline(temporal: TemporalAccess, ...args: string[]) {
  const terminal = recordedTerminal();
  const code = await main(args, { terminal, env: {}, openContext: () => fakeContext(terminal, { temporal, tableSyncs: [people] }) });
  return { code, out: terminal.out.join('\n'), err: terminal.err.join('\n') };
}

describe('table status of a run under way', () => {
  const planning = sampleTableView({ syncId: 'people-to-crm' });
  const ended = (owed: RowDebt[]): TableRunView => ({ ...planning, state: 'done', equation: { planned: 0, outcomes: {}, holds: true, owed } });
  const debt: RowDebt = { op: 'upsert', outcome: 'rejected', code: 'INVALID', cause: 'no such property', rows: 3, sinceMs: 0 };

  test('that owes nothing: 0', async () => {
    expect(await syncline(server({ view: planning }), 'table', 'status')).toMatchObject({ code: 0 });
    expect(await syncline(server({ view: planning, before: ended([]) }), 'table', 'status')).toMatchObject({ code: 0 });
  });

  test('earlier runs owe rows: 1, and how many', async () => {
    const temporal = server({ view: planning, before: ended([debt]) });
    const { code, out } = await syncline(temporal, 'table', 'status');
    expect(code).toBe(1);
    expect(out).toMatch(/comparing rows\n {2}3 rows owed by earlier runs: npx syncline table debts people-to-crm/);
    const { out: json } = await syncline(temporal, 'table', 'status', '--json');
    expect(JSON.parse(json)).toMatchObject({ tables: [{ sync: 'people-to-crm', view: { state: 'planning' }, owed: [debt] }] });
  });

  test('an operator paused it: 1, and the way out; a vendor that fails is waited for: 0', async () => {
    const running = sampleTableView({ syncId: 'people-to-crm', state: 'running', lane: 'scheduled', counts: sampleCounts() });
    const budget = { state: 'open', held: ['sync:people-to-crm'], lanes: {}, offPeak: null, breaker: { state: 'closed' }, windows: [], closedMs: 0 };
    const spender = { sync: 'people-to-crm', lane: 'scheduled', held: true, shutMs: 0, waitMs: null, waiting: 1 };
    const paused = await syncline(server({ view: running, budget: { ...budget, spenders: [spender] } }), 'table', 'status');
    expect(paused).toMatchObject({ code: 1, out: expect.stringContaining('next: npx syncline budget resume hubspot/main sync:people-to-crm') });
    const down = { ...budget, held: [], breaker: { state: 'open', openMs: 5_000, failures: 3 }, spenders: [{ ...spender, held: false }] };
    const waits = await syncline(server({ view: running, budget: down }), 'table', 'status');
    expect(waits).toMatchObject({ code: 0, out: expect.stringMatching(/why: .*breaker is open/) });
  });
});

describe('table cancel', () => {
  const closing = sampleTableView({ syncId: 'people-to-crm', state: 'closing' });

  test('says at once what was asked for; the answer is one document', async () => {
    const { code, out, err } = await syncline(server({ view: closing }), 'table', 'cancel', 'people-to-crm', '--json');
    expect({ code, document: JSON.parse(out) }).toMatchObject({ code: 0, document: { run: { state: 'cancelled' } } });
    expect(err).toBe('the run of people-to-crm is asked to end: what is in flight is finished and booked first');
  });

  test('no worker answers at all: unreachable, and the cancellation is not lost', async () => {
    const calls: string[] = [];
    const { code, out, err } = await syncline(server({ view: new Error('no poller'), calls }), 'table', 'cancel', 'people-to-crm', '--json');
    expect({ code, calls }).toEqual({ code: 3, calls: ['cancel'] });
    expect(err).toMatch(/does not answer; it was asked to end, and does so once a worker is there[\s\S]+next: +is a worker running/);
    expect(JSON.parse(out)).toMatchObject({ error: { exitCode: 3 } });
  });
});

describe('a run by its workflow’s id', () => {
  const waiting = sampleTableView({ syncId: 'people-to-crm', state: 'waiting' });

  test.each(['people-to-crm', 'people-to-crm/run', 'r1'])('approve %s', async (run) => {
    const { code, out } = await syncline(server({ view: waiting }), 'approve', run, '--reason', 'looked at it');
    expect({ code, out }).toEqual({ code: 0, out: 'run r1 of people-to-crm: approved' });
  });

  test('cancel and status take it too', async () => {
    const temporal = server({ view: waiting });
    expect((await syncline(temporal, 'table', 'status', 'people-to-crm/run')).out).toContain('waits for approval');
    expect(await syncline(temporal, 'table', 'cancel', 'people-to-crm/run')).toMatchObject({ code: 0 });
    const { code, err } = await syncline(temporal, 'approve', 'people-to-crm/run', '--reason', 'looked at it');
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('run r1 of people-to-crm does not wait for approval: cancelled') });
  });
});
