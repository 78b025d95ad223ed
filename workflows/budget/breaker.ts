/**
 * Circuit breaker of one budget scope: pure, plain-JSON state, the clock passed in.
 *
 * Opens on `failures` failed calls within `windowMs` that cover `records` distinct records (one poisoned record opens
 * nothing), or on as many calls without any HTTP answer, whatever the record. Half-open after `openMs`, doubling up to
 * `maxOpenMs`; then one probe. A 429 is not a failure: it never gets here.
 */
export interface BreakerState {
  /** Recent failed calls, oldest first. */
  failures: { at: number; records: string[]; connection: boolean }[];
  /** Epoch ms; 0 = closed. */
  openUntil: number;
  /** Length of the current or last open spell; 0 after a success. */
  spellMs: number;
  /** Epoch ms of the probe under way; 0 = none. */
  probingSince: number;
}

export interface BreakerOptions {
  failures: number;
  records: number;
  windowMs: number;
  openMs: number;
  maxOpenMs: number;
  /** A probe without an answer by then is forgotten and another may go. */
  probeMs: number;
}

export const breakerDefaults: BreakerOptions = {
  failures: 5,
  records: 3,
  windowMs: 30_000,
  openMs: 30_000,
  maxOpenMs: 15 * 60_000,
  probeMs: 30_000,
};

export function newBreaker(): BreakerState {
  return { failures: [], openUntil: 0, spellMs: 0, probingSince: 0 };
}

/** `go`, `probe` (this caller is the one that tests), or `shut`. */
export function admit(state: BreakerState, now: number, options = breakerDefaults): 'go' | 'probe' | 'shut' {
  if (state.openUntil === 0) return 'go';
  if (now < state.openUntil) return 'shut';
  if (state.probingSince > 0 && now - state.probingSince < options.probeMs) return 'shut';
  state.probingSince = now;
  return 'probe';
}

/** The vendor answered for some record, well or with a refusal: it is up. */
export function succeeded(state: BreakerState): void {
  state.failures = [];
  state.openUntil = 0;
  state.spellMs = 0;
  state.probingSince = 0;
}

/** Nothing was sent: the probe is free for the next caller. */
export function unused(state: BreakerState): void {
  state.probingSince = 0;
}

/** A call failed for these records. */
export function failed(state: BreakerState, now: number, records: readonly string[], connection: boolean, options = breakerDefaults): void {
  const wasProbe = state.openUntil > 0 && now >= state.openUntil;
  state.failures = [...state.failures.filter((one) => now - one.at < options.windowMs), { at: now, records: records.slice(0, options.records), connection }];
  if (wasProbe) return open(state, now, options);
  if (state.openUntil > 0) return;
  const distinct = new Set(state.failures.flatMap((one) => one.records));
  const unanswered = state.failures.filter((one) => one.connection).length;
  if (state.failures.length >= options.failures && (distinct.size >= options.records || unanswered >= options.failures)) open(state, now, options);
}

function open(state: BreakerState, now: number, options: BreakerOptions): void {
  state.spellMs = state.spellMs === 0 ? options.openMs : Math.min(options.maxOpenMs, state.spellMs * 2);
  state.openUntil = now + state.spellMs;
  state.probingSince = 0;
}
