import { WithStartWorkflowOperation, type Client } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { randomUUID } from 'node:crypto';
import { workflowBundle } from '../../workers/bundle';
import type { vendorBudget } from '../../workflows';
import type { BudgetLimit, LeaseReply, LeaseRequest } from '../../workflows/budget/protocol';
import { budgetQuery, changeBudgetUpdate, leasePermitsUpdate } from '../../workflows/messages';
import { leaseRequest } from '../support/lease-request';
import { testServerBinary } from '../support/servers';

jest.setTimeout(120_000);

let environment: TestWorkflowEnvironment;
let bundle: { code: string };
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR', forward: {} } } });
  environment = await TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path: testServerBinary() } } });
  bundle = await workflowBundle();
});
afterAll(() => environment?.teardown());

const limits: BudgetLimit[] = [
  { name: 'w', kind: 'rolling', ms: 10_000, max: 100 },
  { name: 'day', kind: 'fixed', ms: 86_400_000, max: 10_000 },
];

/** A budget that continues as new after every `maxUpdates` updates, on a worker of its own. */
async function withBudget(maxUpdates: number, during: (budget: Budget) => Promise<void>): Promise<void> {
  const workflowId = `budget/test/${randomUUID()}`;
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    namespace: environment.namespace ?? 'default',
    taskQueue: workflowId,
    workflowBundle: bundle,
  });
  await worker.runUntil(async () => {
    const budget = new Budget(environment.client, workflowId, maxUpdates);
    await during(budget);
    await budget.handle.terminate();
  });
}

class Budget {
  constructor(
    private readonly client: Client,
    private readonly workflowId: string,
    private readonly maxUpdates: number,
  ) {}

  get handle() {
    return this.client.workflow.getHandle(this.workflowId);
  }

  ask(request: LeaseRequest): Promise<LeaseReply> {
    const startWorkflowOperation = new WithStartWorkflowOperation<typeof vendorBudget>('vendorBudget', {
      workflowId: this.workflowId,
      taskQueue: this.workflowId,
      args: [{ scope: { vendor: 'test', scope: 'main' }, maxUpdates: this.maxUpdates }],
      workflowIdConflictPolicy: 'USE_EXISTING',
    });
    return this.client.workflow.executeUpdateWithStart(leasePermitsUpdate, {
      args: [request],
      updateId: `${request.worker}/${request.seq}`,
      startWorkflowOperation,
    });
  }

  view() {
    return this.handle.query(budgetQuery, { nowMs: 0 });
  }
}

const request = (change: Partial<LeaseRequest> = {}): LeaseRequest =>
  leaseRequest({ limits, demand: [{ sync: 's', lane: 'live', waiting: 3, full: false, used: [0], spent: 0 }], ...change });

test('continue-as-new under load: six workers renew all the while; no answer is lost, nothing granted twice, every unit counted', async () => {
  await withBudget(15, async (budget) => {
    const renewals = 30;
    const first = (await budget.ask(request({ worker: 'first' }))).term;
    expect(first).toBe(1);
    const { runId } = await budget.handle.describe();
    const holdings = await Promise.all(
      Array.from({ length: 6 }, async (_, index) => {
        const worker = `w${index}`;
        let [term, held, spent, left] = [0, 0, 0, 0];
        for (let seq = 1; seq <= renewals; seq++) {
          const reply = await budget.ask(
            request({
              worker,
              term,
              seq,
              ack: seq - 1,
              slots: [{ name: 'w', holding: held, gaveUp: [] }],
              counts: [{ name: 'day', left, spent }],
              demand: [{ sync: worker, lane: 'backfill', waiting: 5, full: true, used: [held], spent }],
            }),
          );
          expect(reply).toMatchObject({ seq, fresh: seq === 1 });
          term = reply.term;
          const [slots] = reply.slots;
          const [count] = reply.counts;
          held = Math.min(held, slots!.keep) + slots!.grant + slots!.later.reduce((sum, [more]) => sum + more, 0);
          left = Math.min(left, count!.keep) + count!.grant;
          // One call each time.
          left -= 1;
          spent += 1;
        }
        return held;
      }),
    );
    expect(holdings.reduce((sum, held) => sum + held, 0)).toBeLessThanOrEqual(100);
    expect((await budget.handle.describe()).runId).not.toBe(runId);
    const view = await budget.view();
    // The last call of each is not told yet.
    expect(view.spenders.filter(({ sync }) => sync.startsWith('w')).map(({ today }) => today)).toEqual(Array(6).fill(renewals - 1));
    const day = view.windows.find(({ name }) => name === 'day')!;
    expect(day.used).toBeGreaterThanOrEqual(6 * (renewals - 1));
    expect(day.used).toBeLessThan(6 * renewals + 600);
  });
});

test('what an operator changed, off-peak hours and a pending alert live on over continue-as-new', async () => {
  await withBudget(3, async (budget) => {
    const offPeak = { lanes: ['backfill' as const], from: '22:00', to: '06:00', timeZone: 'Europe/Berlin' };
    await budget.ask(request({ offPeak, shares: { s: 0.5 } }));
    await budget.handle.executeUpdate(changeBudgetUpdate, { args: [{ kind: 'pause', what: 'sync:x' }] });
    await budget.handle.executeUpdate(changeBudgetUpdate, { args: [{ kind: 'share', sync: 's', share: 0.2 }] });
    const term = (await budget.ask(request({ seq: 2, term: 1, ack: 1 }))).term;
    const high = await budget.ask(request({ seq: 3, term, ack: 2, counts: [{ name: 'day', left: 0, spent: 7_000 }] }));
    expect(high.alerts).toMatchObject([{ kind: 'high', window: 'day', used: 7_000 }]);
    for (let seq = 4; seq < 9; seq++)
      expect((await budget.ask(request({ seq, term, ack: seq - 1, counts: [{ name: 'day', left: 0, spent: 7_000 }] }))).alerts).toBeUndefined();
    expect(await budget.view()).toMatchObject({ held: ['sync:x'], shares: { s: 0.2 }, offPeak: { from: '22:00', timeZone: 'Europe/Berlin' } });
    expect((await budget.view()).windows.find(({ name }) => name === 'day')).toMatchObject({ high: true });
  });
});

test('a bad request is refused with words, and leaves the budget as it was', async () => {
  await withBudget(1_000, async (budget) => {
    await budget.ask(request());
    const before = await budget.view();
    const words = (ask: Promise<unknown>) =>
      ask.then(
        () => 'taken',
        (error: any) => String(error.cause?.message ?? error.message),
      );
    const command = (args: unknown) => words(budget.handle.executeUpdate(changeBudgetUpdate, { args: [args as never] }));
    expect(await command({ kind: 'pause', what: 'lane:fast' })).toContain(
      '"lane:fast" cannot be paused; expected all, sync:<id>, or lane:<live|scheduled|backfill|replay>',
    );
    expect(await command({ kind: 'share', sync: 's', share: 1.5 })).toContain('share of s is 1.5; expected more than 0 and at most 1');
    expect(await command({ kind: 'priority', sync: 's', lane: 'first' })).toContain('lane "first"; expected one of');
    expect(await command({ kind: 'explode' })).toContain('unknown change of a budget');
    const bad: [Partial<LeaseRequest>, string][] = [
      [{ worker: '' }, 'worker is missing'],
      [{ counts: [{ name: 'day', left: -1, spent: 0 }] }, 'units left of day: -1; expected a whole number of at least 0'],
      [{ demand: [{ sync: 's', lane: 'live', waiting: 0, full: false, used: [-3], spent: 0 }] }, 'units used by s: -3'],
      [{ shares: { a: 0.8, b: 0.4 } }, 'guaranteed shares sum to 1.2, more than 1: a 0.8, b 0.4'],
      [{ limits: [{ name: 'w', kind: 'rolling', ms: 1_000, max: 0 }] }, 'limit w has max 0; expected a whole number above 0'],
      [{ offPeak: { lanes: ['backfill'], from: '22:00', to: '06:00', timeZone: 'Nowhere' } }, 'off-peak hours 22:00-06:00 Nowhere cannot be read'],
    ];
    let seq = 10;
    for (const [change, expected] of bad) expect(await words(budget.ask(request({ seq: seq++, ...change })))).toContain(expected);
    const { at: _at, ...after } = await budget.view();
    expect(after).toEqual({ ...before, at: undefined });
    // A window that nobody declared is read past.
    const reply = await budget.ask(
      request({
        seq: 50,
        term: 1,
        ack: 1,
        readings: [{ name: 'unknown', remaining: 0, own: 0 }],
        refusals: [{ sync: 's', limit: 'unknown', pauseMs: 100, since: 50 }],
      }),
    );
    expect(reply).toMatchObject({ pauseMs: 100 });
  });
});
