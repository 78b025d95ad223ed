import type { LeaseRequest } from '../../workflows/budget/protocol';

/** A worker's first request, with nothing in it but what `change` says. */
export function leaseRequest(change: Partial<LeaseRequest> = {}): LeaseRequest {
  return { v: 1, worker: 'a', term: 0, seq: 1, ack: 0, slots: [], counts: [], demand: [], ...change };
}
