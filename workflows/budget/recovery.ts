import { admit, failed, succeeded, unused } from './breaker';
import type { BreakerReply, LeaseRequest } from './protocol';
import type { BudgetState } from './state';

/** After the vendor is back, the rate grows from a tenth to all of it in so many milliseconds. */
export const rampMs = 20_000;
const rampStart = 0.1;

/** Takes in how a worker's calls ended. `known`: the last request of its term that was answered; older reports were heard. */
export function hearHealth(state: BudgetState, request: LeaseRequest, now: number, known: number): void {
  if (request.answeredMs !== undefined) {
    state.landedAt = Math.max(state.landedAt, now - request.answeredMs);
    // An answer to a call from before says nothing of the spell since: only the probe ends it.
    if (state.breaker.openUntil === 0) succeeded(state.breaker);
  }
  if (request.probe !== undefined && state.prober === request.worker) {
    state.prober = '';
    if (request.probe === 'unused') unused(state.breaker);
    if (request.probe === 'bad') failed(state.breaker, now, [], false);
    if (request.probe === 'good') {
      succeeded(state.breaker);
      state.recoveredAt = now;
    }
  }
  for (const { ms, records, connection, since } of request.failures ?? []) {
    if (since > known && state.breaker.openUntil === 0) failed(state.breaker, now - ms, records, connection);
  }
}

/** What a worker is told; hands it the probe when it is due and the worker has something to send. */
export function breakerReply(state: BudgetState, worker: string, now: number, hasWork: boolean): BreakerReply {
  const { breaker } = state;
  const halfOpen = breaker.openUntil > 0 && now >= breaker.openUntil;
  const probe = halfOpen && hasWork && admit(breaker, now) === 'probe';
  if (probe) state.prober = worker;
  const since = state.recoveredAt === 0 ? rampMs : now - state.recoveredAt;
  return {
    openMs: Math.max(0, breaker.openUntil - now),
    halfOpen,
    probe,
    ramp: Math.min(1, rampStart + (1 - rampStart) * (since / rampMs)),
    landedMs: state.landedAt === 0 ? -1 : Math.max(0, now - state.landedAt),
  };
}

/** The worker that was to test the vendor is gone: another may. */
export function forgetProber(state: BudgetState, worker: string): void {
  if (state.prober !== worker) return;
  state.prober = '';
  unused(state.breaker);
}
