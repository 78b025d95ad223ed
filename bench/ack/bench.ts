import os from 'node:os';
import type { NodeProcess } from '../../client/sandbox/processes';
import { type Bench, type BenchContext, compared, type Result, UsageError } from '../bench';
import { mean, quantile, shown, sum } from '../figures';
import { cpuTimes, usedBetween } from '../usage';
import { type Answered, flood, type Requests, steady } from './load';
import { expectYes, signedRequests } from './requests';

/** The gateway's 2xx (signature, inbox commit) against a server that does only that. */
export const ack: Bench = {
  name: 'ack',
  summary: 'acknowledging a signed webhook against a bare server that inserts one row: latency, acks per second',
  options: {
    rate: { default: '20', help: 'requests per second of a steady round' },
    seconds: { default: '30', help: 'length of a steady round' },
    slice: { default: '5', help: 'seconds of a steady round at a time, so that noise from outside meets both sides' },
    burst: { default: '3000', help: 'requests of a burst' },
    connections: { default: '64', help: 'connections of a burst' },
    rounds: { default: '2', help: 'steady rounds of each side, alternating' },
    bursts: { default: '6', help: 'bursts of each side, alternating: one is over within a second' },
    warmup: { default: '1000', help: 'requests before anything counts' },
    worker: { default: 'without,with', help: 'whether a worker takes the events at the same time' },
  },
  async run(context) {
    const results: Result[] = [];
    for (const worker of context.option('worker').split(',')) {
      if (worker !== 'without' && worker !== 'with') throw new UsageError(`--worker is "${worker}"; expected without, with or both`);
      results.push(...(await rounds(context, worker === 'with')));
    }
    return results;
  },
};

interface Door {
  name: 'gateway' | 'bare';
  port: number;
  path: string;
  pid: number;
  process: NodeProcess;
  burst: { answered: Answered[]; seconds: number; cpuMs: number; databaseMs: number }[];
  steady: Answered[][];
}

async function rounds({ setting, log, count }: BenchContext, withWorker: boolean): Promise<Result[]> {
  const label = withWorker ? 'with a worker' : 'no worker';
  const database = await setting.postgres();
  const simulator = await setting.simulator();
  const temporal = await setting.temporal('memory', ['syncline']);
  const databaseUrl = await setting.database(withWorker ? 'ack_with_worker' : 'ack');
  const env = setting.env({ databaseUrl, temporalAddress: temporal.address, namespace: 'syncline', hubspotUrl: simulator.url });
  const quiet = (line: string): void => {
    if (process.env.SYNCLINE_BENCH_LOG || !/"level":"(info|debug)"/.test(line)) log(line);
  };
  const door = async (name: Door['name'], entry: string, path: string): Promise<Door> => {
    const running = await setting.supervisor.spawnNode({ name, entry, env, log: quiet });
    return { name, port: Number(running.ready.port), path, pid: running.pid, process: running, burst: [], steady: [] };
  };
  const gateway = await door('gateway', 'client/gateway/main.ts', '/webhooks/shop-customer-to-crm');
  const bare = await door('bare', 'bench/ack/bare.ts', '/webhooks');
  const worker = withWorker ? await setting.supervisor.spawnNode({ name: 'worker', entry: 'bench/engine/worker.ts', env, log: quiet }) : undefined;
  const order = (round: number): Door[] => (round % 2 === 0 ? [bare, gateway] : [gateway, bare]);
  const say = (line: string): void => log(`${label}: ${line} (load ${os.loadavg()[0]?.toFixed(1)})`);
  const requestsFor = (to: Door, round: string, requests: number): Requests => signedRequests({ ...to, env }, round, requests);

  for (const to of [bare, gateway])
    expectYes(to.name, (await flood(to.port, requestsFor(to, `warm-${to.name}`, count('warmup')), count('connections'))).answered);
  say('warm');
  const slices = Math.ceil((count('rounds') * count('seconds')) / count('slice'));
  for (let slice = 0; slice < slices; slice++) {
    for (const to of order(slice)) {
      const answered = await steady(to.port, requestsFor(to, `steady${slice}`, count('rate') * count('slice')), count('rate'));
      expectYes(to.name, answered);
      to.steady.push(answered);
    }
  }
  for (const { name, steady: all } of [bare, gateway]) say(`${name.padEnd(8)} ${count('rate')}/s: ${shown(all.flat().map(({ latencyMs }) => latencyMs))}`);
  for (let round = 0; round < count('bursts'); round++) {
    for (const to of order(round)) {
      const requests = requestsFor(to, `burst${round}`, count('burst'));
      if (requests.length === 0) continue;
      const pids = { door: to.pid, database: database.pid };
      const before = cpuTimes(pids);
      const { answered, seconds } = await flood(to.port, requests, count('connections'));
      const cpu = usedBetween(before, cpuTimes(pids));
      expectYes(to.name, answered);
      to.burst.push({ answered, seconds, cpuMs: cpu.door ?? NaN, databaseMs: cpu.database ?? NaN });
      const perAck = (ms = NaN): string => (ms / answered.length).toFixed(2);
      say(
        `${to.name.padEnd(8)} burst of ${answered.length}: ${(answered.length / seconds).toFixed(0)} acks/s, ${shown(answered.map(({ latencyMs }) => latencyMs))}; ` +
          `CPU ms per ack: door ${perAck(cpu.door)}, database ${perAck(cpu.database)}`,
      );
    }
  }
  for (const one of [gateway.process, bare.process, ...(worker ? [worker] : []), temporal]) await one.stop();
  return figures(label, gateway, bare, withWorker);
}

function figures(label: string, gateway: Door, bare: Door, withWorker: boolean): Result[] {
  const results: Result[] = [];
  const steadyOf = (to: Door): number[] => to.steady.flat().map(({ latencyMs }) => latencyMs);
  const burstOf = (to: Door): number[] => to.burst.flatMap(({ answered }) => answered.map(({ latencyMs }) => latencyMs));
  // The bare server's worker does not exist: beside ours the comparison informs, and no more.
  const aim = withWorker ? undefined : { atMost: 1.5 };
  if (gateway.steady.length > 0) {
    results.push(compared(`${label}: steady, p50`, 'ms', quantile(steadyOf(gateway), 0.5), quantile(steadyOf(bare), 0.5)));
    results.push(compared(`${label}: steady, p99`, 'ms', quantile(steadyOf(gateway), 0.99), quantile(steadyOf(bare), 0.99), aim));
  }
  if (gateway.burst.length > 0) {
    const perSecond = ({ burst }: Door): number => sum(burst.map(({ answered }) => answered.length)) / sum(burst.map(({ seconds }) => seconds));
    const cpu = ({ burst }: Door, of: 'cpuMs' | 'databaseMs'): number => mean(burst.map((round) => round[of] / round.answered.length));
    results.push(compared(`${label}: burst, p50`, 'ms', quantile(burstOf(gateway), 0.5), quantile(burstOf(bare), 0.5)));
    results.push(compared(`${label}: burst, p99`, 'ms', quantile(burstOf(gateway), 0.99), quantile(burstOf(bare), 0.99), aim));
    results.push(compared(`${label}: burst`, 'acks/s', perSecond(gateway), perSecond(bare)));
    results.push(compared(`${label}: burst, CPU per ack: server`, 'ms', cpu(gateway, 'cpuMs'), cpu(bare, 'cpuMs')));
    results.push(compared(`${label}: burst, CPU per ack: database`, 'ms', cpu(gateway, 'databaseMs'), cpu(bare, 'databaseMs')));
  }
  return results;
}
