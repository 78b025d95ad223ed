import { admit, count, failed, forgetCalls, judge, missed, reached, succeeded, unused, type BreakerState } from './breaker';
import type { BreakerReply, FailureReport, LeaseRequest } from './protocol';
import type { BudgetState } from './state';

/** After the vendor is back, the rate grows from a tenth to all of it in so many milliseconds. */
export const rampMs = 20_000;
const rampStart = 0.1;

/** Takes in how a worker's calls ended. `known`: the last request of its term that was answered; older reports were heard. */
export function hearHealth(state: BudgetState, request: LeaseRequest, now: number, known: number): void {
  const { breaker } = state;
  if (request.answeredMs !== undefined) {
    state.landedAt = Math.max(state.landedAt, now - request.answeredMs);
    if (breaker.openUntil === 0) reached(breaker);
    // A worker of an older version tells of no calls but those that failed since its last good one.
    if (breaker.openUntil === 0 && !request.calls) forgetCalls(breaker);
  }
  if (request.probe !== undefined && state.prober === request.worker) {
    state.prober = '';
    if (request.probe === 'unused') unused(breaker);
    if (request.probe === 'bad')
      failed(
        breaker,
        now,
        newsOf(request, known).flatMap(({ records }) => records),
        false,
      );
    if (request.probe === 'good') {
      succeeded(breaker);
      state.recoveredAt = now;
    }
  }
  // What calls from before the spell came to says nothing of it: only the probe ends it.
  if (breaker.openUntil === 0) hearCalls(breaker, request, now, known);
}

function newsOf({ failures = [] }: LeaseRequest, known: number): FailureReport[] {
  return failures.filter(({ since }) => since > known);
}

function hearCalls(breaker: BreakerState, request: LeaseRequest, now: number, known: number): void {
  const failures = newsOf(request, known);
  const said = request.calls ?? failures.map((one) => ({ ...one, answered: 0, failed: 1 }));
  const calls = said.filter(({ since }) => since > known);
  for (const { ms, records, connection } of failures) missed(breaker, now - ms, records, connection);
  for (const { ms, ...ended } of calls) count(breaker, now - ms, ended);
  if (failures.length > 0 || calls.some((one) => one.failed > 0)) judge(breaker, now);
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
    ...(breaker.openUntil > 0 ? { suspects: breaker.suspects } : {}),
  };
}

/** The worker that was to test the vendor is gone: another may. */
export function forgetProber(state: BudgetState, worker: string): void {
  if (state.prober !== worker) return;
  state.prober = '';
  unused(state.breaker);
}
