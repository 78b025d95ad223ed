import axios from 'axios';
import { setTimeout as delay } from 'node:timers/promises';
import { type BudgetStage, startBudgetStage } from '../../test/support/budget-stage';
import { type BenchContext, compared, informing, type Result } from '../bench';
import { quantile } from '../figures';

/** Calls per window that the vendor takes (HubSpot's smallest plan). */
const limit = 100;
const windowMs = 10_000;

/** After a crash all of the rate is back by then: the lease ends, and its slots cool for a window. */
const graceMs = 17_000;

interface Span {
  calls: number;
  refused: number;
  ms: number;
}

/** What the vendor itself counted in a span of time. */
async function span(stage: BudgetStage, seconds: number): Promise<Span> {
  const [before, startedAt] = [await stage.judge(), performance.now()];
  await delay(seconds * 1_000);
  const after = await stage.judge();
  return { calls: after.calls - before.calls, refused: after.refused - before.refused, ms: performance.now() - startedAt };
}

const taken = ({ calls, refused }: Span): number => calls - refused;
const possible = ({ ms }: Span, per = windowMs): number => (limit * ms) / per;

async function onStage<T>(options: Parameters<typeof startBudgetStage>[0], work: (stage: BudgetStage) => Promise<T>): Promise<T> {
  const stage = await startBudgetStage(options);
  try {
    return await work(stage);
  } finally {
    await stage.close();
  }
}

/** An endless backlog in every process: how much of the limit is used, and what was over it; then a limiter per process. */
export async function utilisation({ option, count, log }: BenchContext, aim: { windowMs: number; atLeast: number }): Promise<Result[]> {
  const results: Result[] = [];
  const scale = { latencyMs: '20-80', windowScale: String(aim.windowMs / windowMs) };
  for (const workers of option('workers').split(',').map(Number)) {
    for (const gate of workers === 1 ? ['durable'] : ['durable', 'process']) {
      const measured = await onStage(scale, async (stage) => {
        for (let index = 0; index < workers; index++) await stage.spender({ SPENDER_GATE: gate, SPENDER_WINDOW_MS: String(aim.windowMs) });
        await delay(count('warmup') * 1_000);
        return span(stage, count('seconds'));
      });
      const name = `${aim.windowMs / 1_000} s window, ${workers} ${workers === 1 ? 'worker' : 'workers'}${gate === 'durable' ? '' : ', a limiter in each process'}`;
      log(`${name}: ${taken(measured)} of ${possible(measured, aim.windowMs).toFixed(0)} calls, ${measured.refused} refused`);
      const mine = gate === 'durable' ? { atLeast: aim.atLeast } : undefined;
      results.push(compared(`${name}: used of what the vendor takes`, 'calls', taken(measured), possible(measured, aim.windowMs), mine));
      results.push(refusals(`${name}: refused`, measured, gate === 'durable' ? 0 : undefined));
    }
  }
  return results;
}

function refusals(metric: string, { refused, ms }: Span, atMost?: number): Result {
  const perMinute = (refused * 60_000) / ms;
  const result = informing(metric, '429s/min', perMinute);
  return atMost === undefined ? result : { ...result, aim: `<= ${atMost}`, met: perMinute <= atMost };
}

/** Live records beside an endless bulk backlog: what they wait, against what they wait alone. */
export async function live({ option, count, log }: BenchContext): Promise<Result[]> {
  const results: Result[] = [];
  for (const workers of option('workers')
    .split(',')
    .map(Number)
    .filter((one) => one <= 2)) {
    const measure = (bulk: string) =>
      onStage({ latencyMs: '20-80' }, async (stage) => {
        const spenders = [];
        for (let index = 0; index < workers; index++) spenders.push(await stage.spender({ SPENDER_BULK: bulk, SPENDER_LIVE: String(2 / workers) }));
        await delay(count('warmup') * 1_000);
        const before = spenders.map((one) => one.spent().liveMs.length);
        const measured = await span(stage, 2 * count('seconds'));
        const ends = await Promise.all(spenders.map((one) => one.stop()));
        return { measured, times: ends.flatMap((end, index) => end.liveMs.slice(before[index])) };
      });
    const alone = await measure('0');
    const beside = await measure('50');
    const name = `live beside bulk, ${workers} ${workers === 1 ? 'worker' : 'workers'}`;
    log(`${name}: p99 ${quantile(beside.times, 0.99)} ms of ${beside.times.length}, alone ${quantile(alone.times, 0.99)} ms of ${alone.times.length}`);
    results.push(compared(`${name}: p99 from wish to answer`, 'ms', quantile(beside.times, 0.99), quantile(alone.times, 0.99), { atMost: 1.2 }));
    results.push(compared(`${name}: p50`, 'ms', quantile(beside.times, 0.5), quantile(alone.times, 0.5)));
    results.push(
      compared(`${name}: used of what the vendor takes`, 'calls', taken(beside.measured), possible(beside.measured), { atLeast: workers === 1 ? 0.96 : 0.95 }),
    );
    results.push(refusals(`${name}: refused`, beside.measured, 0));
  }
  return results;
}

/** Somebody else takes three calls a second from the same quota, and knows nothing of us. */
export async function foreign({ count, log }: BenchContext): Promise<Result[]> {
  return onStage({ latencyMs: '20-80' }, async (stage) => {
    const stranger = { calls: 0, refused: 0, on: true };
    const http = axios.create({ baseURL: stage.simUrl, headers: { authorization: 'Bearer pat-spender' }, validateStatus: () => true });
    const calling = (async () => {
      while (stranger.on) {
        void http
          .post('/crm/v3/objects/contacts/batch/read', { inputs: [{ id: 'bob@example.com' }], idProperty: 'email', properties: [] })
          .then(({ status }) => {
            stranger.calls++;
            if (status === 429) stranger.refused++;
          });
        await delay(1_000 / 3);
      }
    })();
    const spender = await stage.spender();
    await delay(2 * count('warmup') * 1_000);
    const [theirs, ours] = [{ ...stranger }, spender.spent()];
    const measured = await span(stage, 1.5 * count('seconds'));
    const [theirsAfter, oursAfter] = [{ ...stranger }, spender.spent()];
    stranger.on = false;
    await calling;
    const their = { calls: theirsAfter.calls - theirs.calls, refused: theirsAfter.refused - theirs.refused };
    const our = { calls: measured.calls - their.calls, refused: oursAfter.refused - ours.refused, ms: measured.ms };
    log(`foreign: ours ${taken(our)}, theirs ${their.calls}; refused ${our.refused} and ${their.refused}`);
    return [
      compared('somebody else takes 30 %: used of the rest', 'calls', taken(our), possible(measured) - their.calls, { atLeast: 0.94 }),
      refusals('somebody else takes 30 %: ours refused', our, 1),
      refusals('somebody else takes 30 %: theirs refused', { ...their, ms: measured.ms }, 1),
    ];
  });
}

/** kill -9 of the process that hosts the budget: what goes on meanwhile, and when all of the rate is back. */
export async function killed({ count, log }: BenchContext): Promise<Result[]> {
  return onStage({ latencyMs: '20-80' }, async (stage) => {
    // Of three, as in the prototype: the first one hosts the budget.
    const host = await stage.spender();
    const others = [await stage.spender(), await stage.spender()];
    await delay(count('warmup') * 1_000);
    await host.process.kill();
    const killedAt = performance.now();
    const counts: { at: number; calls: number; refused: number }[] = [];
    while (performance.now() - killedAt < 45_000) {
      const { calls, refused } = await stage.judge();
      counts.push({ at: performance.now() - killedAt, calls, refused });
      await delay(250);
    }
    await Promise.all(others.map((other) => other.stop()));
    // Full again: from then on, ten seconds hold as many calls as the vendor takes, but for two in a hundred.
    const callsAt = (ms: number): number => counts.find(({ at }) => at >= ms)?.calls ?? counts.at(-1)!.calls;
    const full = counts.find(({ at }) => at <= 34_000 && callsAt(at + windowMs) - callsAt(at) >= 0.98 * limit)?.at ?? NaN;
    const meanwhile = (callsAt(graceMs) - counts[0]!.calls) / ((limit * graceMs) / windowMs);
    const { refused, mostInWindow } = await stage.judge();
    log(`killed: full after ${(full / 1_000).toFixed(1)} s, ${(meanwhile * 100).toFixed(0)} % meanwhile, most in a window ${mostInWindow}`);
    const seconds = informing('kill -9 of the host: until all of the rate is back', 's', full / 1_000);
    const rate = informing(`kill -9 of the host: part of the rate in the ${graceMs / 1_000} s after`, '', meanwhile);
    return [
      { ...seconds, aim: `<= ${graceMs / 1_000}`, met: full <= graceMs },
      { ...rate, aim: '>= 0.6', met: meanwhile >= 0.6 },
      refusals('kill -9 of the host: refused', { calls: 0, refused, ms: 60_000 }, 0),
    ];
  });
}

/** Temporal's own rate limit on the task queue, set to the vendor's rate: two workers. */
export async function queueLimit({ count, log }: BenchContext): Promise<Result[]> {
  return onStage({ latencyMs: '20-80' }, async (stage) => {
    for (let index = 0; index < 2; index++) await stage.spender({ SPENDER_PER_SECOND: String((limit * 1_000) / windowMs) }, 'bench/budget/queue-spender.ts');
    await delay(count('warmup') * 1_000);
    const measured = await span(stage, count('seconds'));
    log(`queue limit: ${taken(measured)} of ${possible(measured).toFixed(0)} calls, ${measured.refused} refused`);
    return [
      compared('10 s window, 2 workers, Temporal’s queue limit: used of what the vendor takes', 'calls', taken(measured), possible(measured)),
      refusals('10 s window, 2 workers, Temporal’s queue limit: refused', measured),
    ];
  });
}
