import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Inbox, Outcomes } from '../ledger/port';

/** How often the sweeper looks, milliseconds. */
const everyMs = 10_000;
/** A run that is still open is looked at again after this. */
const recheckMs = 5 * 60_000;

/**
 * Finds runs that closed without an outcome (terminated, timed out, history lost) and books them as `failed`, RUN_LOST: else
 * they would be open for ever, and nobody told.
 */
export class Sweeper {
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<unknown> = Promise.resolve();
  private busy = false;

  constructor(
    private readonly options: {
      client: Client;
      inbox: Pick<Inbox, 'claimForCheck'>;
      outcomes: Pick<Outcomes, 'recordLost'>;
      /** Age of a start from which it is checked, milliseconds. */
      olderThanMs: number;
      log: Logger;
    },
  ) {}

  start(): void {
    this.timer = setInterval(
      () => {
        if (this.busy) return;
        this.busy = true;
        this.sweeping = this.sweep()
          .catch((error: unknown) => this.options.log.warn({ err: error }, 'sweep failed; trying again'))
          .finally(() => (this.busy = false));
      },
      Math.min(everyMs, this.options.olderThanMs),
    );
    this.timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.sweeping;
  }

  async sweep(): Promise<void> {
    const { client, inbox, outcomes, log, olderThanMs } = this.options;
    const rows = await inbox.claimForCheck({ olderThanMs, everyMs: recheckMs, limit: 100 });
    for (const row of rows) {
      // One that can't be looked up now must not cost the others their turn.
      const open = await isOpen(client, row.workflowId).catch((error: unknown) => {
        log.warn({ err: error, workflowId: row.workflowId }, 'a run could not be looked up; it is checked again later');
        return true;
      });
      if (open) continue;
      log.error({ sync: row.syncId, workflowId: row.workflowId }, 'a run closed without an outcome; booked as RUN_LOST, replay it');
      await outcomes.recordLost([row.rowId]);
    }
  }
}

async function isOpen(client: Client, workflowId: string): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING' || status.name === 'CONTINUED_AS_NEW' || status.name === 'PAUSED';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
