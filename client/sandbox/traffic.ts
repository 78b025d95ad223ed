import { setTimeout as delay } from 'node:timers/promises';
import type { Queries, RunLine } from '../../ledger/port';
import { type DeliveryAnswer, sendWebhook } from './provider';
import { ordinaryEvent, type Sample } from './samples';
import type { Sandbox } from './sandbox';

/** A sample that was sent, and how it was answered. */
export interface SentSample {
  sample: Sample;
  answer: DeliveryAnswer;
}

interface TrafficOptions {
  sandbox: Pick<Sandbox, 'gatewayUrl' | 'simulators'>;
  queries: Pick<Queries, 'runs'>;
  signal: AbortSignal;
}

/** An event every so often, so that one can follow the funnel. */
const pauseMs = 60;
/** Records that come together share a call: one that is to fail comes alone, or its history would show the others' trouble. */
const pauseAroundFaultMs = 400;
const outcomePollMs = 200;
const outcomeTimeoutMs = 60_000;

/** Arms the faults and sends the samples, through the gateway, one after the other. */
export async function sendSamples(samples: readonly Sample[], options: TrafficOptions): Promise<SentSample[]> {
  const { sandbox, signal } = options;
  for (const { faults } of samples) if (faults) await sandbox.simulators.get(faults.vendor)?.arm([faults.fault]);
  const sent: SentSample[] = [];
  for (const sample of samples) {
    if (sample.afterOthers) await allEnded(sent, options);
    if (sample.faults) await delay(pauseAroundFaultMs, undefined, { signal });
    const answer = await sendWebhook(sandbox.gatewayUrl, sample.delivery, { signal, ...(sample.forged ? { maxTries: 1 } : {}) });
    sent.push({ sample, answer });
    await delay(sample.faults ? pauseAroundFaultMs : pauseMs, undefined, { signal });
  }
  return sent;
}

/** Resolves when every run of these has an outcome, or after a minute: then the caller finds what is open. */
export async function allEnded(sent: readonly SentSample[], { queries, signal }: Pick<TrafficOptions, 'queries' | 'signal'>): Promise<void> {
  const waited = new Set(sent.flatMap(({ answer }) => answer.runs.map(({ workflowId }) => workflowId)));
  const deadline = Date.now() + outcomeTimeoutMs;
  while (waited.size > 0 && Date.now() < deadline) {
    for (const workflowId of waited) if ((await runOf(queries, workflowId))?.outcome) waited.delete(workflowId);
    if (waited.size > 0) await delay(outcomePollMs, undefined, { signal });
  }
}

/** The ledger's line of one run. */
export async function runOf(queries: Pick<Queries, 'runs'>, workflowId: string): Promise<RunLine | undefined> {
  const [line] = await queries.runs({ id: workflowId, limit: 1 });
  return line;
}

/** Sends ordinary events, `perSecond`, until `count` went out or the signal comes. */
export async function sendOrdinary(gatewayUrl: string, options: { tag: string; perSecond: number; count: number; signal: AbortSignal }): Promise<void> {
  const { tag, perSecond, count, signal } = options;
  for (let number = 1; number <= count && !signal.aborted; number++) {
    const clock = { tag, now: Date.now() };
    // Not awaited: a provider has many senders, and one that must try again does not hold up the others.
    void sendWebhook(gatewayUrl, ordinaryEvent(clock, number), { signal }).catch(() => undefined);
    await delay(1000 / perSecond, undefined, { signal }).catch(() => undefined);
  }
}
