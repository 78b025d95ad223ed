import { setTimeout as delay } from 'node:timers/promises';
import { Client as Temporal, type Connection } from '@temporalio/client';
import { mean, now } from '../figures';
import { cpuTimes, type Usage, usedBetween } from '../usage';
import { emailOf } from './event';
import type { Side } from './sides';

/** What a round is watched through. */
export interface Watch {
  connection: Connection;
  hubspotUrl: string;
  /** Processes whose CPU time counts, beside the side's own. */
  pids: Record<string, number>;
}

export interface BurstFigures {
  count: number;
  /** From the first hand-in to the last closed run, by the server's clock of this same machine. */
  seconds: number;
  /** From the first hand-in until the last was taken. */
  handInSeconds: number;
  /** HTTP calls the simulator saw. */
  calls: number;
  /** Those it refused as too many. */
  refused: number;
  /** CPU milliseconds of the whole round, by process. */
  cpu: Usage;
}

const patienceMs = 180_000;

/** `count` events at once, until all runs have closed. */
export async function burst(side: Side, watch: Watch, round: string, count: number): Promise<BurstFigures> {
  await reset(watch);
  const pids = { ...watch.pids, ...side.pids };
  const before = cpuTimes(pids);
  const startedAt = now();
  await side.burst(round, count);
  const handedIn = now();
  await landed(watch, count);
  const closes = await closed(side, watch, round, count);
  const cpu = usedBetween(before, cpuTimes(pids));
  const { calls, byStatus } = (await simulator(watch, 'stats')) as { calls: number; byStatus: Record<string, number> };
  const closedAt = Math.max(...closes.map((run) => run.closedAt));
  return { count, seconds: (closedAt - startedAt) / 1000, handInSeconds: (handedIn - startedAt) / 1000, calls, refused: byStatus['429'] ?? 0, cpu };
}

export interface PacedFigures {
  /** Per event, from the hand-in's call to the simulator's write, ms. */
  latencies: number[];
  /** From the hand-in's call to the close of the run, ms. */
  toClose: number[];
  cpu: Usage;
}

/** A steady rate for a while. */
export async function paced(side: Side, watch: Watch, round: string, rate: number, seconds: number): Promise<PacedFigures> {
  await reset(watch);
  const count = Math.round(rate * seconds);
  const pids = { ...watch.pids, ...side.pids };
  const before = cpuTimes(pids);
  const calledAt = await side.paced(round, count, rate);
  await landed(watch, count);
  const cpu = usedBetween(before, cpuTimes(pids));
  const records = (await simulator(watch, 'records')) as { key: string; history: { at: string }[] }[];
  const writtenAt = new Map(records.map(({ key, history }) => [key, Date.parse(history[0]?.at ?? '')]));
  const closes = new Map((await closed(side, watch, round, count)).map(({ id, closedAt }) => [id, closedAt]));
  return {
    latencies: calledAt.map((at, index) => (writtenAt.get(emailOf(round, index)) ?? NaN) - at),
    toClose: calledAt.map((at, index) => (closes.get(`${side.idsOf(round)}${index}`) ?? NaN) - at),
    cpu,
  };
}

/** Events and bytes of the histories of some runs, on average; and the events of one of them. */
export interface History {
  events: number;
  bytes: number;
  types: string[];
}

export async function historyOf(side: Side, watch: Watch, round: string): Promise<History> {
  const client = new Temporal({ connection: watch.connection, namespace: side.namespace });
  const sample = 20;
  const lengths: { events: number; bytes: number }[] = [];
  for (let index = 0; index < sample; index++) {
    const { workflowExecutionInfo: info } = (await client.workflow.getHandle(`${side.idsOf(round)}${index}`).describe()).raw;
    lengths.push({ events: Number(info?.historyLength), bytes: Number(info?.historySizeBytes) });
  }
  const history = await client.workflow.getHandle(`${side.idsOf(round)}0`).fetchHistory();
  const types = (history.events ?? []).map((event) => {
    const attributes = Object.keys(event).find((key) => key.endsWith('EventAttributes') && event[key as 'eventId']);
    return attributes?.replace('EventAttributes', '') ?? '?';
  });
  return { events: mean(lengths.map(({ events }) => events)), bytes: mean(lengths.map(({ bytes }) => bytes)), types };
}

async function reset(watch: Watch): Promise<void> {
  await simulator(watch, 'reset', 'POST');
}

/** Asks the simulator alone: it is the cheapest to ask, and the servers have work to do. */
async function landed(watch: Watch, count: number): Promise<void> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const { records } = (await simulator(watch, 'stats')) as { records: { records: number } };
    if (records.records >= count) return;
    if (Date.now() > deadline) throw new Error(`only ${records.records} of ${count} records have landed after ${patienceMs / 1000} s`);
    await delay(50);
  }
}

/** Waits until every run of the round has closed well; when each did. */
async function closed(side: Side, watch: Watch, round: string, count: number): Promise<{ id: string; closedAt: number }[]> {
  const query = `WorkflowId STARTS_WITH "${side.idsOf(round)}" AND ExecutionStatus = "Completed"`;
  const { workflowService } = watch.connection;
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const answer = await workflowService.countWorkflowExecutions({ namespace: side.namespace, query });
    if (Number(answer.count) >= count) break;
    if (Date.now() > deadline) throw new Error(`${side.name}: ${Number(answer.count)} of ${count} runs have completed after ${patienceMs / 1000} s`);
    await delay(100);
  }
  const client = new Temporal({ connection: watch.connection, namespace: side.namespace });
  const runs: { id: string; closedAt: number }[] = [];
  for await (const { workflowId, closeTime } of client.workflow.list({ query, pageSize: 1000 }))
    runs.push({ id: workflowId, closedAt: closeTime?.getTime() ?? NaN });
  return runs;
}

async function simulator({ hubspotUrl }: Watch, path: string, method = 'GET'): Promise<unknown> {
  const response = await fetch(`${hubspotUrl}/_sim/${path}`, { method });
  if (!response.ok) throw new Error(`simulator: ${path}: ${await response.text()}`);
  return response.json();
}
