import { randomUUID } from 'node:crypto';
import { isGrpcServiceError, WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { outcomeRow } from '../activities/record-outcome';
import type { Inbox, Outcomes, StartableEvent } from '../ledger/port';
import { recordSyncType, startOptions } from '../platform/start-options';
import type { RecordOutcome } from '../schemas/outcome';
import type { SyncPlan } from '../schemas/plan';

export interface StarterOptions {
  client: Client;
  inbox: Pick<Inbox, 'claimForStart' | 'markStarted' | 'release' | 'onArrival'>;
  outcomes: Pick<Outcomes, 'record'>;
  plans: ReadonlyMap<string, SyncPlan>;
  /** Names this process in claims. */
  owner: string;
  /** Starts under way at a time. */
  concurrency: number;
  log: Logger;
}

/** A start not confirmed by then is free for another starter: a workflow id makes the second start harmless. */
const claimMs = 30_000;
/** Older rows are backlog: they get at most half of the starts, so that new events never wait for it. */
const backlogAfterMs = 5_000;
/** Wake-ups can be lost; and claims lapse in silence. */
const pollMs = 1_000;
const maxPauseMs = 5_000;
/** A run that booked its end closes within moments, unless Temporal went away in between. */
const oldRunWaitMs = 5_000;

/**
 * Starts a run for every event in the inbox. Lives in the worker process: eager start wants the client on the worker's own
 * connection, and then a new run's first step needs no round trip.
 */
export class Starter {
  private stopping = false;
  private wake: () => void = () => undefined;
  private arrived = false;
  private inFlight = 0;
  private pauseMs = 0;
  private started: string[] = [];
  private loop: Promise<void> = Promise.resolve();
  private unlisten: () => Promise<void> = () => Promise.resolve();

  constructor(private readonly options: StarterOptions) {}

  async start(): Promise<void> {
    this.unlisten = await this.options.inbox.onArrival(() => this.nudge());
    this.loop = this.run();
  }

  /** Starts no more; resolves when the starts under way are booked. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.nudge();
    await this.loop;
    await this.unlisten();
  }

  private nudge(): void {
    this.arrived = true;
    this.wake();
  }

  private async run(): Promise<void> {
    const { inbox, owner, concurrency, log } = this.options;
    while (!this.stopping) {
      this.arrived = false;
      const room = concurrency - this.inFlight;
      let claimed: StartableEvent[] = [];
      try {
        if (room > 0) claimed = await inbox.claimForStart({ owner, limit: room, claimMs, backlogAfterMs });
      } catch (error) {
        log.warn({ err: error }, 'the inbox does not answer; trying again');
        await this.idle(pollMs, true);
      }
      for (const row of claimed) void this.startOne(row);
      if (this.pauseMs > 0) await this.idle(this.pauseMs, true);
      else if (claimed.length < room || room === 0) await this.idle(pollMs, false);
    }
    while (this.inFlight > 0) await this.idle(50, true);
    await this.book();
  }

  /** Sleeps until something happened; `deaf` to arrivals while a pause is meant. */
  private async idle(ms: number, deaf: boolean): Promise<void> {
    if (this.arrived && !deaf) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        if (deaf && !this.stopping) return;
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = () => undefined;
  }

  private async startOne(row: StartableEvent): Promise<void> {
    const { client, inbox, plans, log } = this.options;
    this.inFlight++;
    try {
      const plan = plans.get(row.syncId);
      if (!plan) {
        log.error({ sync: row.syncId }, 'an event waits for a sync this worker does not list in syncs/index.ts; deploy one that does');
        await inbox.release([row.rowId], 60_000);
        return;
      }
      await client.workflow.start(recordSyncType, {
        ...startOptions(plan, row.event, { workflowId: row.workflowId, rearmed: row.rearmed }),
        requestEagerStart: true,
      });
      this.pauseMs = 0;
      this.booked(row.rowId);
    } catch (error) {
      await this.notStarted(row, error).catch((again: unknown) => log.warn({ err: again }, 'a failed start could not be booked; its claim will lapse'));
    } finally {
      this.inFlight--;
      this.nudge();
    }
  }

  private async notStarted(row: StartableEvent, error: unknown): Promise<void> {
    const { inbox, outcomes, log, plans } = this.options;
    const plan = plans.get(row.syncId);
    if (error instanceof WorkflowExecutionAlreadyStartedError) return row.rearmed && plan ? this.metOldRun(row, plan) : this.booked(row.rowId);
    const said = refusedForGood(error);
    const refusal = said === null ? null : `${said}; the event has ${Buffer.byteLength(JSON.stringify(row.event))} bytes`;
    if (refusal && plan) {
      log.error({ sync: row.syncId, workflowId: row.workflowId, cause: refusal }, 'Temporal refused a start for good');
      const end: RecordOutcome = { outcome: 'failed', code: 'START_REFUSED', cause: refusal, attempts: [], resend: plan.resend };
      return outcomes.record([outcomeRow(plan, row.event, undefined, end, { workflowId: row.workflowId, runId: `refused-${randomUUID()}` })]);
    }
    // Temporal is away: its return is waited for, not hammered at.
    this.pauseMs = Math.min(maxPauseMs, Math.max(250, this.pauseMs * 2));
    log.warn({ err: error, pauseMs: this.pauseMs }, 'Temporal does not take starts; events wait in the inbox');
    await inbox.release([row.rowId], 0);
  }

  /**
   * A re-armed event whose old run is still there: its failed outcome was booked, its close was not. Nothing new was started,
   * so the row must not count as started: it waits for the close, or takes the end the old run came to after all.
   */
  private async metOldRun(row: StartableEvent, plan: SyncPlan): Promise<void> {
    const { client, inbox, outcomes } = this.options;
    const handle = client.workflow.getHandle(row.workflowId);
    const { status, runId } = await handle.describe();
    if (status.name !== 'COMPLETED') return inbox.release([row.rowId], oldRunWaitMs);
    const end = (await handle.result()) as RecordOutcome;
    // As a run of its own: what the ledger knows of the old run id is over.
    await outcomes.record([outcomeRow(plan, row.event, undefined, end, { workflowId: row.workflowId, runId: `${runId}#late` })]);
  }

  /** Books starts together: one statement for all that came in while the last one ran. */
  private booked(rowId: string): void {
    this.started.push(rowId);
    if (this.started.length === 1) setImmediate(() => void this.book());
  }

  private async book(): Promise<void> {
    const rows = this.started.splice(0);
    if (rows.length === 0) return;
    try {
      await this.options.inbox.markStarted(rows);
    } catch (error) {
      // The claims lapse, the runs are started a second time, and the workflow ids make that harmless.
      this.options.log.warn({ err: error }, 'started runs could not be booked yet');
    }
  }
}

/** What no retry can mend: the event is larger than Temporal takes. Everything else is waited out. */
export function refusedForGood(error: unknown): string | null {
  // The client wraps what the connection said. By code alone it can't be told: a search attribute that is not registered
  // is an invalid argument too, and mending that is the operator's, not the event's.
  // Which of the two holds the words differs between the client's own connection and the worker's.
  for (let one: unknown = error; one instanceof Error; one = one.cause) {
    const said = isGrpcServiceError(one) ? `${one.message} ${one.details}` : one.message;
    if (/size exceeds limit|larger than max/i.test(said)) return `Temporal refused the start: ${said.slice(0, 200).trim()}`;
  }
  return null;
}
