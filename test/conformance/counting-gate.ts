import type { CallEnd, Gate, Permit, PermitRequest } from '../../connectors/permit';

/** A gate without limits that counts, and finds permits ended twice. */
export interface CountingGate extends Gate {
  acquired: number;
  givenBack: number;
  /** How each spent permit ended. */
  ends: CallEnd[];
  requests: PermitRequest[];
  /** Permits ended more than once: must stay empty. */
  endedTwice: number;
  /** Permits neither spent nor given back. */
  open(): number;
  /** Counts from nothing again. */
  reset(): void;
}

/** Made for tests that compare permits with the requests a simulator saw. */
export function countingGate(): CountingGate {
  const permit = (request: PermitRequest): Permit => {
    gate.acquired += 1;
    gate.requests.push(request);
    let ended = false;
    const end = (): boolean => {
      if (ended) gate.endedTwice += 1;
      const first = !ended;
      ended = true;
      return first;
    };
    return {
      scopes: request.scopes,
      done: (how) => {
        if (end()) gate.ends.push(how);
      },
      giveBack: () => {
        if (end()) gate.givenBack += 1;
      },
    };
  };
  const gate: CountingGate = {
    acquired: 0,
    givenBack: 0,
    ends: [],
    requests: [],
    endedTwice: 0,
    open: () => gate.acquired - gate.givenBack - gate.ends.length,
    acquire: (request) => {
      if (request.signal?.aborted) return Promise.reject(request.signal.reason as Error);
      return Promise.resolve(permit(request));
    },
    tryAcquire: (request) => permit(request),
    closedForMs: () => 0,
    reset: () => void Object.assign(gate, { acquired: 0, givenBack: 0, ends: [], requests: [], endedTwice: 0 }),
  };
  return gate;
}
