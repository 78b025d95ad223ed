import type { Inbox } from '../../ledger/port';
import type { Log } from '../../platform/logging';

/** Whose refusal: names from the registry only, never from a request, so that the number of rows is bounded. */
export interface RefusalCount {
  syncId: string | null;
  source: string;
  account: string;
  reason: string;
}

/** Counts refusals in memory and writes and logs the sums: a flood of bad requests must not become one of statements and lines. */
export interface DoorCounter {
  /** @param cause What went wrong on our side, if that is why. */
  refused(refusal: RefusalCount, cause?: unknown): void;
  /** Writes what is still in memory, best effort. */
  flush(): Promise<void>;
}

interface Sum extends RefusalCount {
  events: number;
  /** The latest, for the log. */
  cause?: unknown;
}

export function createDoorCounter(options: { inbox: Pick<Inbox, 'countAtDoor'>; everyMs: number; log?: Pick<Log, 'warn' | 'error'> | undefined }): DoorCounter {
  const { inbox, everyMs, log } = options;
  let sums = new Map<string, Sum>();
  let timer: NodeJS.Timeout | undefined;

  function add({ events, cause, ...refusal }: Sum): void {
    const name = JSON.stringify([refusal.syncId, refusal.source, refusal.account, refusal.reason]);
    const sum = sums.get(name) ?? { ...refusal, events: 0 };
    sum.events += events;
    if (cause !== undefined) sum.cause = cause;
    sums.set(name, sum);
    if (timer) return;
    timer = setTimeout(() => void flush(), everyMs);
    timer.unref();
  }

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const written = sums;
    sums = new Map();
    for (const { cause, ...count } of written.values()) {
      if (cause === undefined) log?.warn(count, 'deliveries refused');
      else log?.error({ ...count, err: cause }, 'deliveries could not be taken');
      // An inbox that can't be reached is why some are refused: keep the sum for the next turn.
      await inbox.countAtDoor(count).catch(() => add(count));
    }
  }

  return { refused: (refusal, cause) => add({ ...refusal, events: 1, cause }), flush };
}
