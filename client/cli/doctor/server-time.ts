import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { TemporalAccess } from '../context';

/** A queue that nobody puts anything into. */
const probeQueue = 'syncline-doctor-clock';
const tries = 20;

/**
 * How far the server's clock is ahead of ours, milliseconds; null when it does not tell. No call returns the time, but the
 * server notes when a queue was last polled: so an empty queue is polled for a moment, and then looked at.
 */
export async function serverTime({ client, namespace }: TemporalAccess): Promise<number | null> {
  const { workflowService } = client;
  const identity = `syncline doctor ${randomUUID()}`;
  const stop = new AbortController();
  const before = Date.now();
  const poll = client
    .withAbortSignal(stop.signal, () =>
      client.withDeadline(before + 30_000, () => workflowService.pollWorkflowTaskQueue({ namespace, taskQueue: { name: probeQueue }, identity })),
    )
    .catch(() => null); // cancelled by us below
  try {
    for (let n = 0; n < tries; n++) {
      const { pollers } = await workflowService.describeTaskQueue({ namespace, taskQueue: { name: probeQueue }, taskQueueType: 1 });
      const at = pollers?.find((poller) => poller.identity === identity)?.lastAccessTime;
      if (at) return Number(String(at.seconds ?? 0)) * 1_000 + (at.nanos ?? 0) / 1_000_000 - (n === 0 ? (before + Date.now()) / 2 : before);
      await delay(25);
    }
    return null;
  } catch {
    return null;
  } finally {
    stop.abort();
    await poll;
  }
}
