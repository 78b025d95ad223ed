import { setTimeout as delay } from 'node:timers/promises';
import { compilePlan } from '../../syncs/define-sync';
import { quantile } from '../../bench/figures';
import type { Lane } from '../../schemas/plan';
import { narrowSyncs, type Narrow } from '../support/narrow-syncs';
import { runCliAt } from '../support/run-cli';
import { startRecord, type StartedRecord } from '../support/start-record';
import { startStack, type Stack } from '../support/stack';

jest.setTimeout(400_000);

async function startNarrow(
  name: string,
  narrow: Narrow,
): Promise<{ stack: Stack; start: Record<'contacts' | 'profiles', (lane: Lane) => Promise<StartedRecord>> }> {
  const stack = await startStack({
    name,
    worker: 'test/support/narrow-worker.ts',
    vendors: { klaviyo: ['--latency-ms', '20-80'] },
    env: { SYNCLINE_LOG_LEVEL: 'warn', SYNCLINE_KLAVIYO_MAIN_API_KEY: 'pk_sandbox', NARROW: JSON.stringify(narrow) },
  });
  const syncs = narrowSyncs(narrow);
  let next = 0;
  const starter = (plan: ReturnType<typeof compilePlan>) => (lane: Lane) => {
    const n = next++;
    return startRecord(stack, plan, lane, n, `${name}-${n}@example.com`);
  };
  return { stack, start: { contacts: starter(compilePlan(syncs.contacts)), profiles: starter(compilePlan(syncs.profiles)) } };
}

const syncline = (stack: Stack, ...args: string[]) => runCliAt('narrow-cli.ts', stack.env, ...args);
const ended = async (records: readonly StartedRecord[]) => Promise.all(records.map(({ outcome }) => outcome));
const accepted = (count: number) => Array(count).fill('accepted');

/** When each landed at the vendor, ms since the epoch. */
async function landings(sim: { records(): Promise<any[]> }, records: readonly StartedRecord[]): Promise<number[]> {
  const at = new Map((await sim.records()).map(({ key, updatedAt }) => [key, Date.parse(updatedAt)]));
  return records.map(({ email }) => at.get(email) ?? NaN);
}

/** Records one after the other, `perSecond` of them; how long each took from its start to the vendor. */
async function paced(count: number, perSecond: number, start: () => Promise<StartedRecord>): Promise<{ records: StartedRecord[]; startedAt: number[] }> {
  const [records, startedAt]: [StartedRecord[], number[]] = [[], []];
  for (let index = 0; index < count; index++) {
    startedAt.push(Date.now());
    records.push(await start());
    await delay(Math.max(0, startedAt[0]! + ((index + 1) * 1_000) / perSecond - Date.now()));
  }
  return { records, startedAt };
}

describe('two vendors in one worker', () => {
  let stack: Stack;
  let start: Awaited<ReturnType<typeof startNarrow>>['start'];
  beforeAll(async () => void ({ stack, start } = await startNarrow('two_vendors', {})));
  afterAll(() => stack?.stop());

  test('one is down and has hundreds of records waiting: the other’s are as fast as before, and waiting costs those no event', async () => {
    const klaviyo = stack.sims['klaviyo']!;
    const latencies = async () => {
      const { records, startedAt } = await paced(60, 5, () => start.profiles('live'));
      await ended(records);
      return (await landings(klaviyo, records)).map((at, index) => at - startedAt[index]!);
    };
    await latencies(); // warm
    const before = await latencies();
    await stack.hubspot.fault({ kind: 'status', status: 503, times: 'forever' });
    const waiting = await Promise.all(Array.from({ length: 300 }, (_, index) => start.contacts(index % 3 === 0 ? 'live' : 'backfill')));
    await delay(3_000);
    const beside = await latencies();
    process.stderr.write(`two vendors: p50 ${quantile(before, 0.5)} ms alone, ${quantile(beside, 0.5)} ms beside\n`);
    expect(quantile(beside, 0.5)).toBeLessThan(2 * quantile(before, 0.5) + 50);
    await stack.hubspot.clearFaults();
    expect((await ended(waiting)).map(({ outcome }) => outcome)).toEqual(accepted(300));
  });

  test('paused by an operator: nothing is tried, no event is written while it lasts, and then they go in the order they came', async () => {
    const klaviyo = stack.sims['klaviyo']!;
    expect((await syncline(stack, 'budget', 'pause', 'klaviyo/main.profiles', 'all')).code).toBe(0);
    await delay(3_000);
    const calls = (await klaviyo.stats()).calls;
    const { records } = await paced(200, 100, () => start.profiles('backfill'));
    const events = async () => {
      const lengths = await Promise.all(records.map(async ({ handle }) => Number((await handle.describe()).historyLength)));
      return lengths.reduce((sum, length) => sum + length, 0);
    };
    await delay(3_000);
    const first = await events();
    // Polls that were out when it began bring some of them to the worker, which sends them to their workflows for 15 to 20 s; a minute later these are over.
    await delay(80_000);
    const early = await events();
    process.stderr.write(`paused: ${early - first} events while the last polls ran out\n`);
    await delay(20_000);
    expect(await events()).toBe(early);
    expect(early - first).toBeLessThan(10 * 5 * 13); // ten polls at a time, a look each per 15 s, 13 events a look
    expect((await klaviyo.stats()).calls).toBe(calls);
    expect((await syncline(stack, 'budget', 'resume', 'klaviyo/main.profiles', 'all')).code).toBe(0);
    const outcomes = await ended(records);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(accepted(200));
    expect(new Set(outcomes.map(({ attempts }) => attempts.length))).toEqual(new Set([1]));
    const at = await landings(klaviyo, records);
    const out = at.filter((one, index) => index > 0 && one < at[index - 1]!).length;
    const [earlier, later] = [quantile(at.slice(0, 100), 0.5), quantile(at.slice(100), 0.5)];
    process.stderr.write(`paused: ${out} of 200 before the one that came before them; medians of the halves ${later - earlier} ms apart\n`);
    expect(later).toBeGreaterThan(earlier);
  });

  test('an outage of 20 s: the rate grows slowly afterwards, and live records are first', async () => {
    const klaviyo = stack.sims['klaviyo']!;
    await klaviyo.fault({ kind: 'status', status: 503, times: 'forever' });
    const downAt = Date.now();
    const [bulk, live]: [StartedRecord[], StartedRecord[]] = [[], []];
    while (Date.now() - downAt < 20_000) {
      bulk.push(...(await Promise.all([start.profiles('backfill'), start.profiles('backfill'), start.profiles('backfill')])));
      live.push(await start.profiles('live'));
      await delay(200);
    }
    await klaviyo.clearFaults();
    const upAt = Date.now();
    const outcomes = await ended([...bulk, ...live]);
    expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(['accepted']));
    const [bulkAt, liveAt] = [await landings(klaviyo, bulk), await landings(klaviyo, live)];
    const all = [...bulkAt, ...liveAt];
    const first = Math.min(...all);
    const perSecond = Array.from({ length: 30 }, (_, second) => all.filter((at) => at >= first + second * 1_000 && at < first + (second + 1) * 1_000).length);
    process.stderr.write(
      `outage: first after ${first - upAt} ms; live median ${quantile(liveAt, 0.5) - first} ms, bulk ${quantile(bulkAt, 0.5) - first} ms; ${perSecond.join(' ')}\n`,
    );
    const taken = (from: number, to: number) => perSecond.slice(from, to).reduce((sum, calls) => sum + calls, 0) / (to - from);
    expect(taken(0, 5)).toBeLessThan(0.4 * taken(20, 30));
    expect(quantile(liveAt, 0.5)).toBeLessThan(quantile(bulkAt, 0.5));
  });
});

test('a spent day of 75 s: what does not fit goes in the next, each with one attempt, and the vendor refuses nothing', async () => {
  const day = { ms: 75_000, max: 30 };
  const { stack, start } = await startNarrow('spent_day', { day });
  try {
    await stack.hubspot.configure({ limits: { DAILY: day } });
    const startOfDay = () => Math.floor(Date.now() / day.ms) * day.ms;
    await delay(startOfDay() + day.ms + 6_000 - Date.now()); // around its start, calls count for both
    const today = startOfDay();
    const { records } = await paced(45, 5, () => start.contacts('live'));
    await delay(3_000);
    const landed = (await stack.hubspot.records()).length;
    expect(landed).toBeGreaterThan(20);
    expect(landed).toBeLessThanOrEqual(30);
    const open = records.at(-1)!;
    const { json } = await syncline(stack, 'explain', open.handle.workflowId, '--json');
    expect(json).toMatchObject({ status: 'running', cause: 'budget' });
    expect(Date.parse(json.until)).toBeGreaterThan(today + day.ms);
    const outcomes = await ended(records);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(accepted(45));
    expect(new Set(outcomes.map(({ attempts }) => attempts.length))).toEqual(new Set([1]));
    const at = await landings(stack.hubspot, records);
    expect(at.filter((one) => one < today + day.ms)).toHaveLength(landed);
    expect(Math.max(...at)).toBeLessThan(today + day.ms + 40_000);
    expect((await stack.hubspot.stats()).byStatus['429'] ?? 0).toBe(0);
  } finally {
    await stack.stop();
  }
});

test('off-peak hours: bulk waits for them without a call or an event, live records don’t', async () => {
  const minute = 60_000;
  const opens = Math.ceil((Date.now() + 45_000) / minute) * minute;
  const clock = (at: number) => new Date(at).toISOString().slice(11, 16);
  const { stack, start } = await startNarrow('off_peak', { offPeak: { from: clock(opens), to: clock(opens + 30 * minute) } });
  try {
    const klaviyo = stack.sims['klaviyo']!;
    const bulk = await Promise.all(Array.from({ length: 60 }, () => start.profiles('backfill')));
    const live = await Promise.all(Array.from({ length: 5 }, () => start.profiles('live')));
    expect((await ended(live)).map(({ outcome }) => outcome)).toEqual(accepted(5));
    await delay(2_000);
    expect((await klaviyo.stats()).calls).toBe(5);
    const { out } = await syncline(stack, 'budget', 'klaviyo/main.profiles');
    expect(out).toContain(`backfill send from ${clock(opens)} to ${clock(opens + 30 * minute)} (UTC): not now`);
    const { json } = await syncline(stack, 'explain', bulk[0]!.handle.workflowId, '--json');
    expect(json).toMatchObject({ status: 'running', cause: 'off-peak' });
    expect(Date.parse(json.until)).toBeGreaterThanOrEqual(opens - 1_000);
    // They come back spread over some minutes: the first are enough.
    await Promise.race(bulk.map(({ outcome }) => outcome));
    await delay(5_000);
    const at = (await landings(klaviyo, bulk)).filter((one) => !Number.isNaN(one));
    expect(Math.min(...at)).toBeGreaterThanOrEqual(opens);
    expect(Math.min(...at)).toBeLessThan(opens + minute);
    expect((await klaviyo.stats()).calls).toBe(5 + at.length);
    await Promise.all(bulk.map(({ handle }) => handle.terminate('seen enough').catch(() => undefined)));
    await ended(bulk);
  } finally {
    await stack.stop();
  }
});
