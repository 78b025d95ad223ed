import { setTimeout as delay } from 'node:timers/promises';
import { warehouseVariable } from '../../syncs/warehouses-api';
import { decideRunUpdate } from '../../workflows/messages';
import { runCliAt } from '../support/run-cli';
import { startTableStage, type TableStage } from '../support/table-stage';
import { testWarehouses } from '../support/warehouses';

jest.setTimeout(90_000);

describe.each(testWarehouses)('$engine', (kind) => {
  let stage: TableStage;
  beforeAll(async () => {
    stage = await startTableStage(kind);
  });
  afterAll(() => stage?.stop());
  const records = async (): Promise<Map<string, Record<string, string>>> =>
    new Map((await stage.stack.hubspot.records()).map((record) => [record.key as string, record.properties]));

  test('20,000 rows, then 1 % changed, then 2 % deleted: exactly these effects at the vendor', async () => {
    const { people } = stage.syncs;
    await stage.people(20_000);
    const first = await stage.run(people);
    expect(first).toMatchObject({
      state: 'done',
      counts: { read: 20_000, added: 20_000 },
      equation: { planned: 20_000, outcomes: { accepted: 20_000 }, holds: true },
    });
    expect((await stage.stack.hubspot.stats()).records).toMatchObject({ records: 20_000, writes: 20_000, identical: 0 });

    await stage.warehouse.sql(`update people set visits = visits + 100 where id % 100 = 0`);
    const second = await stage.run(people);
    expect(second).toMatchObject({ counts: { changed: 200, unchanged: 19_800 }, equation: { outcomes: { accepted: 200 }, holds: true } });
    expect((await stage.stack.hubspot.stats()).records).toMatchObject({ records: 20_000, writes: 20_200, identical: 0 });
    expect((await records()).get('p500@example.com')).toMatchObject({ numemployees: String((500 % 7) + 100) });

    await stage.warehouse.sql(`delete from people where id % 50 = 1`);
    const third = await stage.run(people);
    expect(third).toMatchObject({ counts: { removed: 400, unchanged: 19_600 }, equation: { outcomes: { accepted: 400 }, holds: true } });
    const { records: counted, byPath } = await stage.stack.hubspot.stats();
    expect(counted).toMatchObject({ records: 19_600, writes: 20_200, removed: 400 });
    // No call more than the rows need.
    expect(byPath).toEqual({ 'POST /crm/v3/objects/contacts/batch/upsert': 202, 'POST /crm/v3/objects/contacts/batch/archive': 4 });
    expect((await records()).has('p51@example.com')).toBe(false);

    const calls = (await stage.stack.hubspot.stats()).calls;
    expect(await stage.run(people)).toMatchObject({ counts: { unchanged: 19_600, planned: 0 }, equation: { planned: 0, holds: true } });
    expect((await stage.stack.hubspot.stats()).calls).toBe(calls);
  });

  test('poisoned rows: each has its cause, the others land, and nothing is tried blindly again', async () => {
    const { poisoned: small } = stage.syncs;
    await stage.people(500);
    await stage.warehouse.sql(`update people set email = 'no address' where id in (7, 207)`);
    await stage.warehouse.sql(`update people set visits = -1 where id = 300`);
    await stage.warehouse.sql(`update people set name = 'nobody' where id = 301`);
    await stage.stack.hubspot.fault({ kind: 'partial', emails: ['p11@example.com'], code: 'INVALID_EMAIL', times: 'forever' });
    await stage.stack.hubspot.fault({ kind: 'serverError', match: { email: 'p450@example.com' }, times: 'forever' });
    const first = await stage.run(small);
    expect(first.equation).toMatchObject({ planned: 500, outcomes: { accepted: 494, invalid: 3, rejected: 1, failed: 1, skipped: 1 }, holds: true });
    const described = await stage.stack.client.workflow.getHandle(`${small.id}/run`).describe();
    expect(described.searchAttributes).toMatchObject({ SynclineOutcome: ['failed'], SynclineSync: ['poisoned'] });
    const debts = await syncline('table', 'debts', 'poisoned');
    expect(debts).toMatchObject({ code: 1, out: expect.stringMatching(/poisoned {2}owes 4 rows after run [\s\S]+1 +not written +INVALID_EMAIL/) });
    await stage.stack.hubspot.clearFaults();
    // Refused rows rest; what failed though nobody refused it is tried again.
    expect(await stage.run(small)).toMatchObject({ counts: { resting: 4, added: 1, unchanged: 495 }, equation: { outcomes: { accepted: 1 }, holds: true } });
    await stage.warehouse.sql(`update people set email = 'p7@example.com' where id = 7`);
    expect(await stage.run(small)).toMatchObject({ counts: { resting: 3, added: 1 }, equation: { outcomes: { accepted: 1 } } });
    // This run sends nothing; what those before owe is bad news all the same.
    const owing = await syncline('table', 'run', 'poisoned');
    expect(owing).toMatchObject({ code: 1, out: expect.stringMatching(/: done[\s\S]+0 planned = 0[\s\S]+3 rows owed by now/) });
    expect(await stage.run(small, { retryRejected: true })).toMatchObject({
      counts: { resting: 0, added: 3 },
      equation: { outcomes: { accepted: 1, invalid: 2 } },
    });
  });

  test('a vendor that answers 200 and says nothing of its rows: no success is believed', async () => {
    const { dropped } = stage.syncs;
    await stage.people(250, 'd');
    await stage.stack.hubspot.fault({ kind: 'emptyResult', match: { path: 'upsert', nth: [1, 2] } });
    expect((await stage.run(dropped)).equation).toMatchObject({ planned: 250, outcomes: { accepted: 250 }, holds: true });
    expect([...(await records()).keys()].filter((key) => /^d\d/.test(key))).toHaveLength(250);
    await stage.stack.hubspot.clearFaults();
    await stage.stack.hubspot.fault({ kind: 'emptyResult', match: { path: 'upsert' }, times: 'forever' });
    await stage.warehouse.sql(`update people set visits = visits + 1 where id = 1`);
    expect((await stage.run(dropped)).equation).toMatchObject({ planned: 1, outcomes: { failed: 1 }, holds: true });
    await stage.stack.hubspot.clearFaults();
    expect((await stage.run(dropped)).equation).toMatchObject({ planned: 1, outcomes: { accepted: 1 }, holds: true });
  });

  test('rows that get another key keep their records: what was written in this run is not removed by it', async () => {
    const { moved } = stage.syncs;
    await stage.people(350, 'm');
    await stage.run(moved);
    await stage.warehouse.sql('create table other as select id + 10000 as id, email, name, visits from people');
    await stage.warehouse.sql('drop table people');
    await stage.warehouse.sql('alter table other rename to people');
    expect((await stage.run(moved)).equation).toMatchObject({ planned: 700, outcomes: { accepted: 350, skipped: 350 }, holds: true });
    expect([...(await records()).keys()].filter((key) => /^m\d/.test(key))).toHaveLength(350);
  });

  test('an operation that answers for the call only: the row at fault is searched for, and found', async () => {
    const { archived } = stage.syncs;
    await stage.people(300);
    await stage.run(archived);
    await stage.stack.hubspot.fault({
      kind: 'status',
      status: 400,
      match: { path: 'archive', nth: [1, 2] },
      body: { status: 'error', category: 'VALIDATION_ERROR', message: 'no' },
    });
    await stage.warehouse.sql(`delete from people where id <= 4`);
    const calls = async () => (await stage.stack.hubspot.stats()).byPath['POST /crm/v3/objects/contacts/batch/archive'] as number;
    const before = (await calls()) || 0;
    // Refused: all four; refused: the first two; then one, one, and the other two.
    expect((await stage.run(archived)).equation).toMatchObject({ planned: 4, outcomes: { accepted: 4 }, holds: true });
    expect((await calls()) - before).toBe(5);
    await stage.stack.hubspot.clearFaults();
  });

  test('two starts at once are one run; the source changes during it', async () => {
    const { changing } = stage.syncs;
    await stage.people(3_000, 'c');
    await stage.stack.hubspot.configure({ latencyMs: 50 });
    const handle = await stage.start(changing);
    await expect(stage.start(changing)).rejects.toThrow(/already started/i);
    await stage.until(handle, ({ state }) => state === 'running');
    await stage.warehouse.sql(`update people set visits = 5000 where id > 2900`);
    await stage.warehouse.sql(`delete from people where id > 2990`);
    const first = (await handle.result()) as Awaited<ReturnType<TableStage['run']>>;
    await stage.stack.hubspot.configure({ latencyMs: 0 });
    expect(first.equation.holds).toBe(true);
    const second = await stage.run(changing);
    expect(second.equation.holds).toBe(true);
    // Whatever moment each row was read at: in the end the vendor has what the source has.
    const now = await records();
    expect(now.get('c2950@example.com')).toMatchObject({ numemployees: '5000' });
    expect(now.get('c2995@example.com')?.['firstname'] ?? '').toBe('');
    expect((await stage.run(changing)).counts).toMatchObject({ planned: 0 });
  });

  test('a guarded run waits, is approved by name, and asks again when more goes than was approved', async () => {
    const { guarded } = stage.syncs;
    await stage.people(20);
    const handle = await stage.start(guarded);
    const view = await stage.until(handle, ({ state }) => state === 'waiting');
    expect(view).toMatchObject({ waitingFor: [{ guard: 'first-run', rows: 20 }], counts: { planned: 20 } });
    expect((await handle.describe()).searchAttributes).toMatchObject({ SynclineWaiting: ['approval'] });
    expect((await syncline('table', 'debts', 'guarded')).out).toMatch(/no run has ended yet; the first one waits for approval/);
    const decide = (decision: 'approve' | 'reject', runId = view.runId) =>
      handle.executeUpdate(decideRunUpdate, { args: [{ runId, decision, reason: 'looked at it', by: 'tests' }] });
    await expect(decide('approve', 'another')).rejects.toMatchObject({ cause: { message: expect.stringContaining(view.runId) } });
    await decide('approve');
    expect(await handle.result()).toMatchObject({
      state: 'done',
      equation: { planned: 20, outcomes: { accepted: 20 } },
      approvals: [{ by: 'tests', guards: [{ guard: 'first-run' }] }],
    });

    await stage.warehouse.sql('delete from people where id <= 10');
    const calls = (await stage.stack.hubspot.stats()).calls;
    const again = await stage.start(guarded);
    const waits = await stage.until(again, ({ state }) => state === 'waiting');
    expect(waits.waitingFor).toMatchObject([{ guard: 'mass-delete', rows: 10 }]);
    await stage.warehouse.sql('delete from people where id <= 15');
    await again.executeUpdate(decideRunUpdate, { args: [{ runId: waits.runId, decision: 'approve', reason: 'ten are right', by: 'tests' }] });
    const grown = await stage.until(again, ({ state, waitingFor }) => state === 'waiting' && waitingFor[0]?.rows === 15);
    expect((await stage.stack.hubspot.stats()).calls).toBe(calls);
    await again.executeUpdate(decideRunUpdate, { args: [{ runId: grown.runId, decision: 'reject', reason: 'fifteen are not', by: 'tests' }] });
    expect(await again.result()).toMatchObject({ state: 'refused', equation: { planned: 15, outcomes: { cancelled: 15 }, holds: true } });
    expect((await stage.stack.hubspot.stats()).calls).toBe(calls);
  });

  test('cancel: what is in flight ends and is booked, the rest is counted as not attempted', async () => {
    const { cancelled } = stage.syncs;
    await stage.people(4_000);
    await stage.stack.hubspot.configure({ latencyMs: 300 });
    const handle = await stage.start(cancelled);
    await stage.until(handle, ({ chunksEnded }) => chunksEnded > 0);
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    await stage.stack.hubspot.configure({ latencyMs: 0 });
    const view = await stage.until(handle, ({ state }) => state === 'cancelled');
    const { planned, outcomes, holds } = view.equation!;
    expect(holds).toBe(true);
    expect(outcomes.cancelled).toBeGreaterThan(0);
    expect((outcomes.accepted ?? 0) + outcomes.cancelled!).toBe(planned);
    // The next run sends exactly the rest.
    expect((await stage.run(cancelled)).equation).toMatchObject({ planned: outcomes.cancelled, outcomes: { accepted: outcomes.cancelled }, holds: true });
  });

  test('paused by an operator: the run waits in its workflow, budget and explain say so, and it goes on when resumed', async () => {
    const { paused } = stage.syncs;
    await stage.people(10, 'h');
    await stage.run(paused);
    expect((await syncline('budget', 'pause', 'hubspot/main', 'sync:paused')).code).toBe(0);
    await stage.people(3_000, 'h');
    await delay(3_000); // every lease that did not know is renewed by now
    const { calls } = await stage.stack.hubspot.stats();
    const handle = await stage.start(paused);
    await stage.until(handle, ({ held }) => held.length === 3 && held.every(({ cause }) => cause === 'paused'), 15_000);
    expect((await handle.describe()).searchAttributes).toMatchObject({ SynclineWaiting: ['paused'] });
    const { json } = await syncline('explain', 'paused', '--json');
    expect(json).toMatchObject({
      workflowId: 'paused/run',
      status: 'running',
      lane: 'scheduled',
      cause: 'paused',
      until: null,
      next: 'npx syncline budget resume hubspot/main sync:paused',
      behind: [expect.stringMatching(/^0 of 2990 rows have ended; the rest takes about 30 calls/), expect.stringMatching(/looks again, in \d/)],
    });
    expect(json.budgets[0].view.spenders.find(({ sync }: any) => sync === 'paused')).toMatchObject({ lane: 'scheduled', waiting: 30, held: true });
    expect((await syncline('explain', 'paused/run')).out).toMatch(
      /why +an operator paused it in hubspot\/main \(sync:paused\)[\s\S]+npx syncline table status paused/,
    );
    expect((await stage.stack.hubspot.stats()).calls).toBe(calls);
    expect((await syncline('budget', 'share', 'hubspot/main', 'paused', '80%')).out).toContain('share of paused set to 80 %');
    await syncline('budget', 'share', 'hubspot/main', 'paused', 'none');
    expect((await syncline('budget', 'resume', 'hubspot/main', 'sync:paused')).code).toBe(0);
    expect(await handle.result()).toMatchObject({ equation: { planned: 2_990, outcomes: { accepted: 2_990 }, holds: true } });
    expect((await syncline('explain', 'paused')).out).toMatch(/ended `done`, 2990 rows planned; it waits for nothing/);
  });

  test('the CLI: run, status, approve, reject, cancel; exit codes, JSON', async () => {
    await stage.people(30, 'x');
    const run = await syncline('table', 'run', 'cli');
    expect({ code: run.code, out: run.out }).toEqual({ code: 0, out: expect.stringMatching(/cli {2}run .*: done[\s\S]*30 planned = 30 accepted/) });
    expect(await syncline('table', 'run', 'cli', '--full', '--json')).toMatchObject({ code: 1, json: { run: { state: 'waiting' } } });
    const waits = await syncline('table', 'status', 'cli');
    expect(waits).toMatchObject({ code: 1, out: expect.stringMatching(/waits for approval[\s\S]*full-resync[\s\S]*npx syncline approve/) });
    expect(await syncline('table', 'debts', 'cli', '--json')).toMatchObject({ code: 0, json: { tables: [{ sync: 'cli', owed: [] }] } });
    expect((await syncline('table', 'debts')).out).toMatch(/cli {2}owes nothing after run/);
    expect((await syncline('syncs')).out).toMatch(/^cli +test: people +hubspot\/main contacts\.upsert +scheduled/m);
    expect((await syncline('contracts')).out).toMatch(/warehouse\.person@1/);
    expect((await syncline('table', 'run', 'cli')).code).toBe(1); // one at a time
    expect((await syncline('approve', 'cli')).code).toBe(2); // without a reason
    expect((await syncline('approve', 'no-such-run', '--reason', 'x')).code).toBe(2);
    expect(await syncline('reject', 'cli', '--reason', 'not now', '--json')).toMatchObject({ code: 0, json: { decision: 'reject' } });
    await syncline('table', 'run', 'cli', '--full', '--backfill', '--no-wait');
    await stage.until(stage.stack.client.workflow.getHandle('cli/run'), ({ state }) => state === 'waiting');
    const cancelled = await syncline('table', 'cancel', 'cli', '--json');
    expect(cancelled).toMatchObject({ code: 0, json: { run: { state: 'cancelled', equation: { outcomes: { cancelled: 30 }, holds: true } } } });
    expect((await syncline('table', 'status', 'cli')).out).not.toMatch(/full-resync|npx syncline approve/);
    expect((await syncline('table', 'run', 'nothing')).code).toBe(2);
    expect((await syncline('table', 'cancel', 'cli')).code).toBe(1);
  });

  test('a run that nobody works for says so, and one that failed says why, with the names', async () => {
    await stage.people(1);
    const started = await syncline('table', 'run', 'unserved', '--no-wait');
    expect(started.out).toContain('comparing rows');
    const status = await syncline('table', 'status', 'unserved');
    expect(status).toMatchObject({ code: 1, out: expect.stringMatching(/why: {2}.*nobody polls queue warehouse\/elsewhere\n +next: restart the worker/) });
    expect(status.out).toContain(warehouseVariable('elsewhere', 'URL'));
    const cancelled = await syncline('table', 'cancel', 'unserved', '--json');
    expect(cancelled).toMatchObject({ code: 1, json: { run: { state: 'closing' }, trouble: { code: 'no-worker' } } });
    expect(cancelled.err).toContain('the run of unserved is asked to end');
    expect(cancelled.json.trouble).toMatchObject({ why: expect.stringContaining('nobody polls queue'), next: expect.stringContaining('restart the worker') });
    await stage.stack.client.workflow.getHandle('unserved/run').terminate();
    const { json } = await syncline('doctor', '--json');
    const states = Object.fromEntries(json.checks.map(({ name, state }: { name: string; state: string }) => [name, state]));
    expect(states).toMatchObject({ 'warehouse test': 'ok', 'queue warehouse/test': 'ok', 'warehouse elsewhere': 'fail', 'queue warehouse/elsewhere': 'fail' });

    const failed = await syncline('table', 'run', 'misnamed');
    expect(failed).toMatchObject({ code: 1, out: expect.stringMatching(/: failed\n +why: {2}SOURCE_UNKNOWN: .*people_of_2026/) });
    expect(failed.out).toMatch(/next: correct `from` .*npx syncline table run misnamed/);
    const again = await syncline('table', 'status', 'misnamed', '--json');
    expect(again).toMatchObject({ code: 1, json: { tables: [{ view: { state: 'failed' }, trouble: { code: 'SOURCE_UNKNOWN' } }] } });
  });

  const syncline = (...args: string[]) => runCliAt('table-cli.ts', stage.stack.env, ...args);
});
