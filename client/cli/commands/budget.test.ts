import { ServiceError, WorkflowNotFoundError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { TemporalAccess } from '../context';
import type { TableRunView } from '../../../schemas/table';
import { sampleCounts } from '../../../test/support/sample-table-run';
import { testAudiences } from '../../../test/support/audience-syncs';
import { testTableSyncs } from '../../../test/support/table-syncs';
import type { BudgetView } from '../../../workflows/messages';
import { waitingWork } from '../budget-view';
import { main } from '../main';
import { fakeContext, recordedTerminal } from '../testing/fake-context';

/** A server on which every budget answers a change like this. */
function temporal(executeUpdate: (...args: any[]) => Promise<unknown>, view: unknown = null): TemporalAccess {
  const client = {
    workflow: { getHandle: () => ({ executeUpdate, query: async () => view }) },
    withDeadline: (_: number, ask: () => Promise<unknown>) => ask(),
  };
  return { client: client as unknown as TemporalAccess['client'], namespace: 'test', address: 'test:1' };
}

async function change(error: Error) {
  const terminal = recordedTerminal();
  const openContext = () => fakeContext(terminal, { temporal: temporal(() => Promise.reject(error)) });
  const code = await main(['budget', 'pause', 'hubspot/main', 'all'], { terminal, env: {}, openContext });
  return { code, err: terminal.err.join('\n') };
}

const grpc = (code: number, details: string) => Object.assign(new Error(`${code} ${details}`), { code, details, metadata: {} });

describe('a change that did not come about', () => {
  test('refused by the budget: usage, in its own words', async () => {
    const refusal = ApplicationFailure.create({ message: 'guaranteed shares sum to 1.5, more than 1' });
    expect(await change(new WorkflowUpdateFailedError('refused', refusal))).toEqual({ code: 2, err: expect.stringContaining('sum to 1.5') });
  });

  test('a budget that nobody ever spent from: usage', async () => {
    expect(await change(new WorkflowNotFoundError('not found', 'budget/hubspot/main', undefined))).toEqual({
      code: 2,
      err: expect.stringContaining('has not started'),
    });
  });

  test.each([
    ['no worker in time', new WorkflowUpdateRPCTimeoutOrCancelledError('Deadline exceeded', { cause: grpc(4, 'Deadline exceeded') })],
    ['the server is away', new ServiceError('Workflow Update failed', { cause: grpc(14, 'connection refused') })],
  ])('%s: unreachable, and it may still take effect', async (_name, error) => {
    const { code, err } = await change(error);
    expect(code).toBe(3);
    expect(err).toMatch(/hubspot\/main does not answer; the change may still take effect once a worker runs/);
    expect(err).toMatch(/next: +start a worker, then see what is in force: npx syncline budget hubspot\/main/);
  });

  test('the server refuses: neither usage nor unreachable', async () => {
    const { code, err } = await change(new ServiceError('Workflow Update failed', { cause: grpc(7, 'not allowed') }));
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('Temporal refused: not allowed') });
  });
});

const { people } = testTableSyncs('postgres');

describe('table syncs', () => {
  const scope = { vendor: 'hubspot', scope: 'main' };

  test.each([
    [['pause', 'hubspot/main', 'sync:people-to-crm'], { kind: 'pause', what: 'sync:people-to-crm' }],
    [['share', 'hubspot/main', 'people-to-crm', '10%'], { kind: 'share', sync: 'people-to-crm', share: 0.1 }],
    [['priority', 'hubspot/main', 'people-to-crm', 'replay'], { kind: 'priority', sync: 'people-to-crm', lane: 'replay' }],
  ])('%j is taken; the same of a sync that nobody declared is not', async (args, command) => {
    const terminal = recordedTerminal();
    const asked: unknown[] = [];
    const executeUpdate = (...[, { args: given }]: any[]) => {
      asked.push(...given);
      return Promise.reject(new WorkflowNotFoundError('enough seen', '', undefined));
    };
    const openContext = () => fakeContext(terminal, { temporal: temporal(executeUpdate), tableSyncs: [people] });
    await main(['budget', ...args], { terminal, env: {}, openContext });
    expect(asked).toEqual([command]);
    const typo = args.map((arg) => arg.replace('people-to-crm', 'people-to-cmr'));
    expect(await main(['budget', ...typo], { terminal, env: {}, openContext })).toBe(2);
    expect(terminal.err.join()).toMatch(/there is no sync "people-to-cmr"[\s\S]+expected: .*people-to-crm/);
    expect(asked).toHaveLength(1);
  });

  const running = { state: 'running', lane: 'backfill', counts: sampleCounts({ added: 1_000_000, planned: 1_000_000 }), ended: 40_000 } as TableRunView;
  test.each<[string, string, () => Promise<unknown>, unknown]>([
    ['its open rows, in full calls and in the lane it was started in', 'RUNNING', async () => running, { lane: 'backfill', calls: 9_600 }],
    ['a worker of an older version: the declared lane', 'RUNNING', async () => ({ ...running, lane: undefined }), { lane: 'scheduled', calls: 9_600 }],
    ['waiting for approval: none yet', 'RUNNING', async () => ({ ...running, state: 'waiting' }), { lane: 'backfill', calls: 0 }],
    ['terminated while it sent: none', 'TERMINATED', async () => running, { lane: 'scheduled', calls: 0 }],
    ['no worker answers: none that is known', 'RUNNING', () => Promise.reject(new Error('deadline')), { lane: 'scheduled', calls: 0 }],
  ])('what a run wants: %s', async (_name, status, query, expected) => {
    const handle = { describe: async () => ({ workflowId: 'w', runId: 'r', status: { name: status }, startTime: new Date(), closeTime: undefined }), query };
    const client = {
      workflow: { getHandle: () => handle, count: async () => ({ count: 0 }) },
      withDeadline: (_: number, ask: () => Promise<unknown>) => ask(),
    };
    const access = { client: client as unknown as TemporalAccess['client'], namespace: 'test', address: 'test:1' };
    const work = await waitingWork(fakeContext(recordedTerminal(), { temporal: access, tableSyncs: [people] }), scope);
    expect(work.filter(({ sync }) => sync === 'people-to-crm')).toEqual([{ sync: 'people-to-crm', ...(expected as object) }]);
  });
});

describe('a change that can have no effect', () => {
  const { google } = testAudiences('postgres');
  const [ads, crm] = ['google-data-manager/main.ingestion', 'hubspot/main'];

  /** Runs a command against a budget in which this was changed; `asked`: what reached it. */
  async function syncline(inForce: Partial<BudgetView>, ...args: string[]) {
    const terminal = recordedTerminal();
    const asked: unknown[] = [];
    const view = { scope: { vendor: '', scope: '' }, state: 'open', closedMs: 0, windows: [], refusedUnnamed: 0, spenders: [], workers: 0, offPeak: null };
    const answer = { ...view, held: [], lanes: {}, shares: {}, changedShares: {}, ...inForce };
    const access = temporal(async (...[, { args: given }]: any[]) => (asked.push(...given), answer), answer);
    const openContext = () => fakeContext(terminal, { temporal: access, tableSyncs: [people, google] });
    const code = await main(['budget', ...args], { terminal, env: {}, openContext });
    return { code, asked: asked.length, out: terminal.out.join('\n'), err: terminal.err.join('\n') };
  }

  test.each([
    ['pause', ads, 'sync:people-to-crm'],
    ['resume', ads, 'sync:people-to-crm'],
    ['share', ads, 'shop-order-to-crm', '10%'],
    ['share', ads, 'people-to-crm', 'none'],
    ['priority', ads, 'shop-order-to-crm', 'live'],
    ['pause', crm, 'sync:google-list'],
  ])('%s %s %s: the sync spends nothing of it', async (...args) => {
    const { code, asked, err } = await syncline({}, ...args);
    expect({ code, asked }).toEqual({ code: 2, asked: 0 });
    const [spender, own] = args[1] === ads ? ['google-list', crm] : ['people-to-crm', ads];
    expect(err).toMatch(new RegExp(`spends nothing of ${args[1]}[^]+expected: .*${spender}[^]+npx syncline budget ${own}`));
  });

  test('what its requests may spend beside its operation’s own quota counts as its own', async () => {
    expect(await syncline({}, 'pause', 'google-data-manager/main.status', 'sync:google-list')).toMatchObject({ code: 0, asked: 1 });
  });

  test.each([
    ['resume', 'sync:gone', { held: ['sync:gone'] }],
    ['share', 'gone', { changedShares: { gone: 0.1 } }],
    ['priority', 'gone', { lanes: { gone: 'live' as const } }],
  ])('%s of a sync that is no longer declared is taken back while it is in force', async (kind, what, inForce) => {
    const words = kind === 'resume' ? [kind, crm, what] : [kind, crm, what, 'none'];
    expect(await syncline(inForce, ...words)).toMatchObject({ code: 0, asked: 1 });
    const { code, asked, err } = await syncline({}, ...words);
    expect({ code, asked }).toEqual({ code: 2, asked: 0 });
    expect(err).toMatch(/there is no sync "gone", and nothing that was set for it in hubspot\/main to take back/);
  });

  test.each<[string[], Partial<BudgetView>, string]>([
    [['resume', crm, 'all'], {}, 'nothing was paused in hubspot/main'],
    [['resume', crm, 'sync:people-to-crm'], { held: ['lane:live'] }, 'nothing was paused under "sync:people-to-crm" in hubspot/main; paused there: lane:live'],
    [['share', crm, 'people-to-crm', 'none'], {}, 'no share of people-to-crm was set in hubspot/main: it stays as declared'],
    [['priority', crm, 'people-to-crm', 'none'], {}, 'no lane of people-to-crm was set in hubspot/main: it stays as declared'],
  ])('%j, where nothing is set: 0, and it says so', async (args, inForce, note) => {
    const { code, out } = await syncline(inForce, ...args);
    expect({ code, first: out.split('\n')[0] }).toEqual({ code: 0, first: note });
    expect(JSON.parse((await syncline(inForce, ...args, '--json')).out)).toMatchObject({ note });
  });

  test('a share above all of it: the bound is named', async () => {
    expect((await syncline({}, 'share', crm, 'people-to-crm', '1.5')).err).toMatch(/expected: a part such as 0.3 or 30%, more than 0 and at most 1/);
  });
});
