import { setTimeout as delay } from 'node:timers/promises';
import type { NodeProcess } from '../../client/sandbox/processes';
import { checkRun, grownRepeats, repeatedWrites, type ChaosRun } from '../support/chaos-checker';
import { callsInHistory, collect, until } from '../support/chaos-collect';
import { eventMix, refusedKeys, testSeed } from '../support/chaos-events';
import { FakeProvider } from '../support/chaos-provider';
import { startOwnTemporal, type OwnTemporal } from '../support/chaos-temporal';
import { startStack, type Stack } from '../support/stack';

jest.setTimeout(420_000);

const count = Number(process.env.SYNCLINE_TEST_EVENTS ?? 500);
/** All are sent within this time. */
const sendMs = 45_000;

let temporal: OwnTemporal;
let stack: Stack;
beforeAll(async () => {
  temporal = await startOwnTemporal('kill-nine');
  stack = await startStack({ name: 'kill-nine', temporal, env: { SYNCLINE_LOG_LEVEL: 'warn' } });
});
afterAll(async () => {
  keeper.stop();
  provider.stop();
  await stack?.stop();
  await temporal?.stop();
});

const every = (step: number, from: number) => Array.from({ length: 200 }, (_, index) => from + index * step);

/**
 * What goes wrong at the vendor all the time, by number of the call, so that the same happens in every run. Of ten calls one fails:
 * with two, one event in five thousand meets a failure in each of its five attempts, and then rightly ends `failed`.
 */
const faults = [
  { id: 'refused', kind: 'partial', emails: refusedKeys, times: 'forever' },
  { id: 'rate-limit', kind: 'rateLimit', retryAfter: '1', match: { nth: every(37, 9) } },
  { id: 'server-error', kind: 'serverError', match: { nth: every(31, 5) } },
  { id: 'reset', kind: 'reset', match: { nth: every(47, 11) } },
  { id: 'reset-after-commit', kind: 'reset', commit: true, match: { nth: every(41, 3) } },
  { id: 'timeout-after-commit', kind: 'timeoutAfterCommit', match: { nth: every(70, 20) } },
  { id: 'empty-2xx', kind: 'emptyResult', commit: true, match: { nth: every(61, 17) } },
  { id: 'slow', kind: 'slow', ms: 300, match: { nth: every(11, 7) } },
];

/** Keeps one worker running, as any deployment does; a start that fails is tried again. */
class WorkerKeeper {
  /** Last words of workers that ended without being asked. */
  readonly ended: string[] = [];
  private over = false;
  private current: NodeProcess | undefined;

  watch(worker: NodeProcess): void {
    this.current = worker;
    void worker.exited.then(({ expected, code, signal }) => {
      if (expected || this.over) return;
      this.ended.push(`${signal ?? code}: ${worker.lastLines().split('\n').at(-1) ?? ''}`);
      void this.start();
    });
  }

  async start(): Promise<void> {
    while (!this.over) {
      try {
        return this.watch(await stack.startWorker());
      } catch (error) {
        this.ended.push(`did not start: ${(error as Error).message.slice(0, 200)}`);
        await delay(500);
      }
    }
  }

  /** Kills the worker while a call of it is at the vendor, which will take effect some time after. */
  async killInCall(id: string): Promise<void> {
    await stack.hubspot.fault({ id, kind: 'slow', ms: 4_000 });
    await until('a slow call is at the vendor', async () => {
      const rules = (await (await fetch(`${stack.hubspot.url}/_sim/faults`)).json()) as { rule: { id: string }; fired: number }[];
      return rules.some(({ rule, fired }) => rule.id === id && fired > 0);
    });
    await this.current?.kill();
    await delay(2_500);
    await this.start();
  }

  stop(): void {
    this.over = true;
  }
}

const keeper = new WorkerKeeper();
const provider = new FakeProvider({ gatewayUrl: () => stack.gatewayUrl() });
let result: ChaosRun;

test(`${count} events; worker, gateway and Temporal are killed: none lost, one outcome each, the vendor holds the newest`, async () => {
  const startedAt = Date.now();
  const events = eventMix({ count, contacts: Math.ceil(count / 8), seed: testSeed });
  for (const worker of stack.workers) keeper.watch(worker);
  await stack.hubspot.fault(faults);

  const gatewayPort = Number(new URL(stack.gatewayUrl()).port);
  const kills: Record<number, () => Promise<unknown>> = {
    [Math.floor(count * 0.2)]: () => keeper.killInCall('kill-1'),
    [Math.floor(count * 0.4)]: async () => {
      await stack.gateway.kill();
      await delay(2_500);
      await stack.startGateway(gatewayPort);
    },
    [Math.floor(count * 0.55)]: async () => {
      await temporal.kill();
      await delay(4_000);
      await temporal.restart();
    },
    [Math.floor(count * 0.8)]: () => keeper.killInCall('kill-2'),
  };
  const underWay: Promise<unknown>[] = [];
  for (const [index, event] of events.entries()) {
    const kill = kills[index];
    if (kill) underWay.push(kill());
    underWay.push(provider.send(event));
    // Providers repeat what they are unsure of, and now and then for no reason at all.
    if (index % 25 === 10) underWay.push(delay(3_000).then(() => provider.send(event)));
    await delay(sendMs / count);
  }
  await Promise.all(underWay);
  const sentMs = Date.now() - startedAt;
  const outcomes = await stack.settled(count, 180_000);
  const tookMs = Date.now() - startedAt;

  result = await collect(stack, provider);
  const stats = await stack.hubspot.stats();
  const inHistory = callsInHistory(result.runs);
  const unheard = result.runs.reduce(
    (sum, { outcome, interruptions }) => sum + interruptions + (outcome?.attempts.filter(({ code }) => code === 'LOST').length ?? 0),
    0,
  );
  const figures = {
    ...{ seed: testSeed, events: count, sentMs, tookMs, outcomes, answers: provider.answers() },
    ...{ calls: stats.calls, inHistory: Math.round(inHistory), unheard, byStatus: stats.byStatus, faults: stats.faults },
    ...{ records: stats.records, repeatedWrites: repeatedWrites(result), grownRepeats: grownRepeats(result), workersEnded: keeper.ended },
  };
  process.stderr.write(`kill -9: ${JSON.stringify(figures)}\n`);

  expect({ problems: checkRun(result), seed: testSeed }).toEqual({ problems: [], seed: testSeed });
  // The kills did hit something: deliveries without an answer, steps that ran again.
  expect(provider.answers()['none']).toBeGreaterThan(0);
  expect(unheard).toBeGreaterThan(0);
  // Every attempt in history was a call; calls that history does not know were cut off by a kill, and it knows that.
  expect(inHistory).toBeLessThanOrEqual(stats.calls + 0.01);
  expect(stats.calls - inHistory).toBeLessThanOrEqual(unheard + 0.01);
  // Repeats are declared one by one by the checker; here that the vendor counts the same ones, and that they stay the exception.
  expect(stats.records.identical).toBeLessThanOrEqual(repeatedWrites(result));
  expect(stats.records.identical).toBeGreaterThanOrEqual(repeatedWrites(result) - grownRepeats(result));
  expect(repeatedWrites(result)).toBeLessThan(count * 0.2);
  expect(stats.overLimit).toEqual({});
});

describe('the checker finds what is planted in these very results', () => {
  const problemsOf = (plant: (run: ChaosRun) => string) => {
    const spoilt = structuredClone(result);
    const of = plant(spoilt);
    return {
      of,
      found: checkRun(spoilt)
        .filter((problem) => problem.of === of)
        .map(({ kind }) => kind),
    };
  };
  const acceptedIn = (run: ChaosRun) => run.ledger.find(({ outcome }) => outcome === 'accepted')!;

  test.each<[string, string, (run: ChaosRun) => string]>([
    ['lost', 'a landed record is gone', (run) => run.records.pop()!.key],
    ['lost', 'an inbox row is gone', (run) => run.ledger.splice(run.ledger.indexOf(acceptedIn(run)), 1)[0]!.workflowId],
    [
      'duplicate',
      'an event has two outcomes',
      (run) => {
        run.ledger.push({ ...acceptedIn(run) });
        return acceptedIn(run).workflowId;
      },
    ],
    [
      'duplicate',
      'two runs took effect',
      (run) => {
        const { workflowId } = acceptedIn(run);
        const good = run.runs.find((one) => one.workflowId === workflowId)!;
        run.runs.push({ ...good, runId: 'another', startedAt: good.startedAt + 1 });
        return workflowId;
      },
    ],
    [
      'order',
      'an older value came after a newer',
      (run) => {
        const record = run.records.find(({ history }) => new Set(history.flatMap(({ properties }) => properties['firstname'] ?? [])).size > 1)!;
        record.history.push(record.history.find(({ properties }) => 'firstname' in properties)!);
        record.version++;
        return record.key;
      },
    ],
    [
      'outcome',
      'an outcome is wrong',
      (run) => {
        const row = acceptedIn(run);
        row.outcome = 'skipped';
        return row.workflowId;
      },
    ],
  ])('%s: %s', (kind, _name, plant) => expect(problemsOf(plant).found).toContain(kind));
});
