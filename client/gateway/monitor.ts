import type { Ledger } from '../../ledger/port';
import type { Log } from '../../platform/logging';

export type Reachability = 'unknown' | 'up' | 'down';

/** What `/readyz` tells of the gateway's surroundings. */
export interface Surroundings {
  database: Reachability;
  /** Not needed to take deliveries: events wait in the inbox while it is down. */
  temporal: Reachability;
  /** Waiting to start; null until it was first read. */
  backlog: { rows: number; oldestAgeMs: number } | null;
}

export interface MonitorOptions {
  ledger: { ping: Ledger['ping']; inbox: Pick<Ledger['inbox'], 'backlog'> };
  /** Resolves when Temporal answers. */
  pingTemporal: () => Promise<void>;
  /** Told after each check. */
  onChecked?: (surroundings: Surroundings) => void;
  log: Pick<Log, 'info' | 'warn'>;
  /** @default 2 s */
  everyMs?: number;
  /** Without an answer by then a check counts as failed. @default 2 s */
  timeoutMs?: number;
}

/** Looks at database, backlog and Temporal in the background, so that no request has to. */
export interface Monitor {
  current(): Surroundings;
  /** Resolves after the first look at the database. */
  start(): Promise<void>;
  stop(): void;
}

export function createMonitor(options: MonitorOptions): Monitor {
  const { ledger, pingTemporal, onChecked, log, everyMs = 2_000, timeoutMs = 2_000 } = options;
  const now: Surroundings = { database: 'unknown', temporal: 'unknown', backlog: null };
  const timers = new Set<NodeJS.Timeout>();
  let stopped = false;

  async function check(name: 'database' | 'temporal', ask: () => Promise<void>): Promise<void> {
    const error = await failure(ask, timeoutMs);
    const state = error === null ? 'up' : 'down';
    if (state === now[name]) return;
    now[name] = state;
    if (error === null) log.info({ [name]: state }, `${name} answers`);
    else log.warn({ [name]: state, reason: reasonOf(error) }, `${name} does not answer`);
  }

  async function checkDatabase(): Promise<void> {
    await check('database', () => ledger.ping());
    if (now.database !== 'up') return;
    await failure(async () => {
      now.backlog = await ledger.inbox.backlog();
    }, timeoutMs);
  }

  function again(look: () => Promise<void>): void {
    if (stopped) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      void look();
    }, everyMs);
    timers.add(timer.unref());
  }

  async function lookAtDatabase(): Promise<void> {
    await checkDatabase();
    onChecked?.({ ...now });
    again(lookAtDatabase);
  }

  async function lookAtTemporal(): Promise<void> {
    await check('temporal', pingTemporal);
    onChecked?.({ ...now });
    again(lookAtTemporal);
  }

  return {
    current: () => ({ ...now }),
    start: () => {
      // Deliveries do not need Temporal: neither does the start.
      void lookAtTemporal();
      return lookAtDatabase();
    },
    stop: () => {
      stopped = true;
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

/** First line only: a service that is away is no bug of ours, and a stack each time would bury the log. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] ?? '';
}

/** What went wrong, or null. */
async function failure(ask: () => Promise<void>, timeoutMs: number): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Error>((resolve) => {
    timer = setTimeout(() => resolve(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  const asked = ask().then(
    () => null,
    (error: unknown) => error ?? new Error('failed'),
  );
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}
