import { setTimeout as delay } from 'node:timers/promises';
import { checkRun } from '../support/chaos-checker';
import { collect, openEvents } from '../support/chaos-collect';
import { customer, testSeed } from '../support/chaos-events';
import { FakeProvider, workflowIdOf } from '../support/chaos-provider';
import { startOwnTemporal, type OwnTemporal } from '../support/chaos-temporal';
import { startStack, type Stack } from '../support/stack';

/** `SYNCLINE_TEST_OUTAGE_MS=600000` for ten minutes. */
const outageMs = Number(process.env.SYNCLINE_TEST_OUTAGE_MS ?? 20_000);
/** A long outage gathers its backlog more slowly. */
const perSecond = outageMs > 60_000 ? 3 : 15;
/** Until the backlog must be through. */
const patienceMs = outageMs > 60_000 ? 600_000 : 180_000;
jest.setTimeout(outageMs + patienceMs + 120_000);
let temporal: OwnTemporal;
let stack: Stack;
let provider: FakeProvider;
const workerEnds: string[] = [];

beforeAll(async () => {
  temporal = await startOwnTemporal('outage');
  stack = await startStack({ name: 'outage', temporal, env: { SYNCLINE_LOG_LEVEL: 'warn' } });
  provider = new FakeProvider({ gatewayUrl: () => stack.gatewayUrl(), giveUpAfterMs: 0 });
  for (const worker of stack.workers)
    void worker.exited.then(({ expected, code, signal }) => expected || workerEnds.push(`${signal ?? code}: ${worker.lastLines()}`));
});
afterAll(async () => {
  provider?.stop();
  await stack?.stop();
  await temporal?.stop();
});

/** After the return: less than the backlog drains by. */
const liveEveryMs = 400;

let next = 0;
/** A new customer each: no record waits for another. Returns the workflow id. */
async function sendOne(): Promise<string> {
  const n = ++next;
  const event = customer(n, `outage-${n}@example.com`, n);
  await provider.send(event);
  return workflowIdOf(event);
}

test(`Temporal is away for ${outageMs / 1000} s: everything is acknowledged and delivered, and what is new does not wait for the backlog`, async () => {
  await sendOne();
  await stack.settled(1);

  await temporal.kill();
  const downAt = Date.now();
  const sending: Promise<string>[] = [];
  while (Date.now() - downAt < outageMs) {
    sending.push(sendOne());
    await delay(1_000 / perSecond);
  }
  const backlog = new Set(await Promise.all(sending));
  const ready = (await (await fetch(`${stack.gatewayUrl()}/readyz`)).json()) as { ready: boolean; temporal: string; backlog: { rows: number } };
  expect(ready).toMatchObject({ ready: true, temporal: 'down' });
  expect(ready.backlog.rows).toBeGreaterThan(backlog.size * 0.8);

  await temporal.restart();
  const backAt = Date.now();
  // Once deliveries flow again, new events come in at a trickle until the backlog is through.
  const closed = async () => (await stack.ledger.queries.runs({ limit: 10_000 })).filter(({ state }) => state === 'closed');
  const live: Promise<string>[] = [];
  for (;;) {
    const done = (await closed()).filter(({ workflowId }) => backlog.has(workflowId)).length;
    if (done >= backlog.size) break;
    if (done > 0) live.push(sendOne());
    if (Date.now() - backAt > patienceMs)
      throw new Error(`${patienceMs / 60_000} minutes after Temporal’s return ${done} of ${backlog.size} were delivered: ${await openEvents(stack)}`);
    await delay(liveEveryMs);
  }
  const liveIds = new Set(await Promise.all(live));
  const outcomes = await stack.settled(next, 60_000);

  // All that was sent was taken at the first try.
  const posts = [...provider.posts.values()].flat();
  expect(provider.answers()).toEqual({ 202: next });
  expect(outcomes).toEqual({ accepted: next });
  expect(Math.max(...posts.map(({ tookMs }) => tookMs))).toBeLessThan(3_000);
  const run = await collect(stack, provider);

  const lines = await closed();
  const timesOf = (ids: Set<string>) =>
    lines
      .filter(({ workflowId }) => ids.has(workflowId))
      .map(({ receivedAt, closedAt }) => ({ received: Date.parse(receivedAt), closed: Date.parse(closedAt ?? '') }));
  const backlogEnds = timesOf(backlog).map(({ closed }) => closed);
  const overtook = timesOf(liveIds).map(({ received, closed }) => ({ tookMs: closed - received, ahead: backlogEnds.filter((end) => end > closed).length }));
  const took = overtook.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  const part = (of: number[], share: number) => of[Math.floor((of.length - 1) * share)] ?? 0;
  const ends = backlogEnds.map((end) => end - backAt).sort((a, b) => a - b);
  const figures = {
    ...{ seed: testSeed, backlog: backlog.size, live: liveIds.size, ackMaxMs: Math.max(...posts.map(({ tookMs }) => tookMs)) },
    ...{ firstAfterMs: part(ends, 0), halfAfterMs: part(ends, 0.5), nearlyAllAfterMs: part(ends, 0.95), allAfterMs: part(ends, 1) },
    ...{
      liveP50Ms: part(took, 0.5),
      liveP95Ms: part(took, 0.95),
      liveMaxMs: part(took, 1),
      liveBeforeBacklogEnd: overtook.filter(({ ahead }) => ahead > 0).length,
    },
    ...{ interruptions: run.runs.reduce((sum, { interruptions }) => sum + interruptions, 0), workerEnds },
  };
  process.stderr.write(`outage: ${JSON.stringify(figures)}\n`);
  expect(checkRun(run)).toEqual([]);
  // The worker lives through it.
  expect(workerEnds).toEqual([]);
  // New events were delivered while a tenth and more of those that had come before them still waited.
  expect(liveIds.size).toBeGreaterThan(4);
  expect(overtook.filter(({ ahead }) => ahead > backlog.size / 10).length).toBeGreaterThan(2);
  expect(part(took, 0.5)).toBeLessThan(part(ends, 1) / 2);
});
