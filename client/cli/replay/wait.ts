import { type Client, WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { RecordOutcome } from '../../../schemas/outcome';
import { outcomeIn } from '../../history/shapes';

/** Long polls under way at a time. */
const atOnce = 20;

/** The end of one replayed run; null when it ended without an outcome (terminated). */
export type WaitedFor = Pick<RecordOutcome, 'outcome' | 'code' | 'cause'> | null;

/** Waits for the outcomes of runs, in order. */
export async function waitForOutcomes(client: Client, runs: readonly { workflowId: string; runId: string }[], onEnd: () => void): Promise<WaitedFor[]> {
  const ends: WaitedFor[] = new Array<WaitedFor>(runs.length).fill(null);
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < runs.length; index = next++) {
      const run = runs[index];
      if (run) ends[index] = await outcomeOf(client, run);
      onEnd();
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, runs.length) }, work));
  return ends;
}

async function outcomeOf(client: Client, { workflowId, runId }: { workflowId: string; runId: string }): Promise<WaitedFor> {
  try {
    return outcomeIn(await client.workflow.getHandle(workflowId, runId).result());
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { cause } = error;
    const booked = cause instanceof ApplicationFailure ? outcomeIn(cause.details) : null;
    return booked ?? { outcome: 'failed', code: 'RUN_LOST', cause: cause?.message ?? error.message };
  }
}
