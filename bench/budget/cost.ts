import { setTimeout as delay } from 'node:timers/promises';
import { startBudgetStage } from '../../test/support/budget-stage';
import { type BenchContext, compared, informing, type Result } from '../bench';

/** What the prototype of the budget cost: events per lease, leases a minute of a worker that calls without end. */
const prototype = { events: 4.8, leases: 24 };

/** Calls that wait in a busy worker; they are still made when it has been told to stop. */
const backlog = 20;

/** After that: they end, at ten a second, and each worker says goodbye. Milliseconds. */
const goodbyeMs = 30_000;

/** What a budget writes to its history: while workers spend without end, with and without live records, and while nobody wants anything. */
export async function cost({ option, count, log }: BenchContext): Promise<Result[]> {
  const results: Result[] = [];
  const [warmUpMs, spanMs] = [count('warmup') * 1_000, count('seconds') * 1_000];
  for (const workers of option('workers').split(',').map(Number)) {
    for (const live of [0, 2]) {
      const stage = await startBudgetStage({ latencyMs: '20-80' });
      try {
        const env = {
          SPENDER_BULK: String(backlog),
          SPENDER_BUSY_MS: String(warmUpMs + spanMs + 2_000),
          ...(live > 0 ? { SPENDER_LIVE: String(live / workers) } : {}),
        };
        for (let index = 0; index < workers; index++) await stage.spender(env);
        await delay(warmUpMs);
        const from = Date.now();
        await delay(spanMs + 2_000 + goodbyeMs);
        const idleFrom = Date.now();
        await delay(spanMs / 2);
        const busy = await stage.written(from, from + spanMs);
        const idle = await stage.written(idleFrom, Date.now());
        const name = `${workers} busy ${workers === 1 ? 'worker' : 'workers'}${live > 0 ? ', live records among bulk' : ''}`;
        const perMinute = (busy.leases * 60_000) / spanMs / workers;
        log(`${name}: ${busy.events} events, ${busy.leases} leases in ${spanMs / 1_000} s; idle: ${idle.events} events`);
        results.push(
          compared(`${name}: history events per lease, prototype ${prototype.events}`, 'events', busy.events / busy.leases, prototype.events, { atMost: 1 }),
          compared(`${name}: leases a minute and worker, prototype ${prototype.leases}`, 'leases', perMinute, prototype.leases, { atMost: 1 }),
          { ...informing(`${name}: events while idle`, 'events', idle.events), aim: '<= 0', met: idle.events === 0 },
        );
      } finally {
        await stage.close();
      }
    }
  }
  return results;
}
