import type { WorkflowHandle } from '@temporalio/client';
import { budgetQuery, changeBudgetUpdate, leasePermitsUpdate } from '../../workflows/messages';
import type { LeaseReply, LeaseRequest } from '../../workflows/budget/protocol';

/** What happens to the recorded vendorBudget: leases of two workers, a 429, an outage, an operator's change, a goodbye. */
export async function budgetStory(handle: WorkflowHandle): Promise<void> {
  const workers = { a: worker('a'), b: worker('b') };
  const ask = async (who: keyof typeof workers, change: Partial<LeaseRequest> = {}) => {
    const request = workers[who].request(change);
    const reply = await handle.executeUpdate(leasePermitsUpdate, { args: [request], updateId: `${who}/${request.seq}` });
    workers[who].hear(reply);
  };
  await ask('a', { demand: [{ sync: 's', lane: 'backfill', waiting: 9, full: true, used: [], spent: 0 }] });
  await ask('b', { demand: [{ sync: 't', lane: 'live', waiting: 2, full: false, used: [], spent: 0 }] });
  await ask('a', { slots: [{ name: 'burst', holding: 5, gaveUp: [[1, 900, 2]] }], counts: [{ name: 'day', left: 3, spent: 4 }] });
  await ask('b', { refusals: [{ sync: 't', limit: 'burst', pauseMs: 500, since: 2 }], readings: [{ name: 'day', remaining: 80, own: 0 }] });
  await ask('a', { failures: Array.from({ length: 5 }, (_, index) => ({ ms: index, records: [`r${index}`], connection: true, since: 3 })) });
  await handle.executeUpdate(changeBudgetUpdate, { args: [{ kind: 'priority', sync: 't', lane: 'scheduled' }] });
  await handle.executeUpdate(changeBudgetUpdate, { args: [{ kind: 'pause', what: 'lane:backfill' }] });
  await handle.query(budgetQuery, { nowMs: Date.now() });
  await ask('b', { release: true });
}

function worker(name: string) {
  let term = 0;
  let seq = 0;
  let ack = 0;
  return {
    request: (change: Partial<LeaseRequest>): LeaseRequest => ({
      v: 1,
      worker: name,
      term,
      seq: ++seq,
      ack,
      ...(ack === 0
        ? {
            limits: [
              { name: 'burst', kind: 'rolling', ms: 1_000, max: 10 },
              { name: 'day', kind: 'fixed', ms: 86_400_000, max: 100 },
            ],
            shares: { s: 0.5 },
          }
        : {}),
      slots: [],
      counts: [],
      demand: [],
      ...change,
    }),
    hear(reply: LeaseReply) {
      term = reply.term;
      ack = reply.seq;
    },
  };
}
