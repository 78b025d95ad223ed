import type { Admission, CallReport, Health } from '../../activities/deps';
import type { BudgetScope } from '../../schemas/plan';
import { admit, breakerDefaults, failed, newBreaker, succeeded, unused, type BreakerState } from '../../workflows/budget/breaker';

/** Circuit breakers of one worker process, one per budget scope. The same rules move into the durable budget next. */
export class InProcessHealth implements Health {
  private readonly breakers = new Map<string, { state: BreakerState; landedAt: number }>();

  constructor(
    private readonly now: () => number = () => Date.now(),
    private readonly options = breakerDefaults,
  ) {}

  admit(scopes: readonly BudgetScope[]): Admission {
    let untilMs = 0;
    let probe = false;
    for (const { state } of this.of(scopes)) {
      const verdict = admit(state, this.now(), this.options);
      if (verdict === 'shut') untilMs = Math.max(untilMs, state.openUntil, this.now() + 1_000);
      if (verdict === 'probe') probe = true;
    }
    if (untilMs > 0) {
      if (probe) for (const { state } of this.of(scopes)) unused(state);
      return { kind: 'shut', untilMs };
    }
    return { kind: probe ? 'probe' : 'go' };
  }

  report(scopes: readonly BudgetScope[], end: CallReport): void {
    for (const breaker of this.of(scopes)) {
      if (end.answered.length > 0) {
        succeeded(breaker.state);
        breaker.landedAt = this.now();
      } else if (end.failed.length > 0) failed(breaker.state, this.now(), end.failed, end.connection, this.options);
      else unused(breaker.state);
    }
  }

  openUntil(scopes: readonly BudgetScope[]): number {
    return Math.max(0, ...this.of(scopes).map(({ state }) => state.openUntil));
  }

  lastLandedAt(scopes: readonly BudgetScope[]): number {
    return Math.min(...this.of(scopes).map(({ landedAt }) => landedAt));
  }

  private of(scopes: readonly BudgetScope[]): { state: BreakerState; landedAt: number }[] {
    return scopes.map(({ vendor, scope }) => {
      const id = `${vendor}/${scope}`;
      let breaker = this.breakers.get(id);
      if (!breaker) this.breakers.set(id, (breaker = { state: newBreaker(), landedAt: 0 }));
      return breaker;
    });
  }
}
