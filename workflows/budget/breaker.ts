/**
 * Circuit breaker of one budget scope: pure, plain-JSON state, the clock passed in.
 *
 * Opens on `failures` failed calls within `windowMs` that cover `records` distinct records and are more than half of the
 * calls of that time: one poisoned record opens nothing, nor do some among many good calls. A busy half minute must not
 * outvote an outage that has just begun: `surplus` more failed than answered calls in the last part of that time, be it ever
 * so short, are enough.
 * Or on as many calls without any HTTP answer as `failures`, one after the other, whatever the record. Half-open after
 * `openMs`, doubling up to `maxOpenMs`; then one probe. A 429 is neither answer nor failure: it never gets here.
 */
export interface BreakerState {
  /** Failed calls since the vendor last answered, oldest first. */
  failures: { at: number; records: string[]; connection: boolean }[];
  /** Recent calls by the second they ended in, oldest first. */
  calls: [second: number, answered: number, failed: number][];
  /** Records that failed recently: each once, with its last time, the newest last. */
  records: [record: string, at: number][];
  /** Records that opened it or failed as the last probes: whatever is wrong may be wrong with them alone. */
  suspects: string[];
  /** Epoch ms; 0 = closed. */
  openUntil: number;
  /** Length of the current or last open spell; 0 after a success. */
  spellMs: number;
  /** Epoch ms of the probe under way; 0 = none. */
  probingSince: number;
}

/** Calls that ended at about one time. */
export interface EndedCalls {
  /** The vendor answered for some record, well or with a refusal: it is up. */
  answered: number;
  failed: number;
  /** Of those that failed; a few say as much as all. */
  records: readonly string[];
}

export interface BreakerOptions {
  failures: number;
  records: number;
  windowMs: number;
  openMs: number;
  maxOpenMs: number;
  /** A probe without an answer by then is forgotten and another may go. */
  probeMs: number;
  /** So many more failed than answered calls, of so many records, leave no doubt. */
  surplus: { calls: number; records: number };
}

export const breakerDefaults: BreakerOptions = {
  failures: 5,
  records: 3,
  windowMs: 30_000,
  openMs: 30_000,
  maxOpenMs: 15 * 60_000,
  probeMs: 30_000,
  surplus: { calls: 20, records: 5 },
};

/** Records remembered by name, of each kind. */
export const mostRecords = 10;

export function newBreaker(): BreakerState {
  return { failures: [], calls: [], records: [], suspects: [], openUntil: 0, spellMs: 0, probingSince: 0 };
}

/** `go`, `probe` (this caller is the one that tests), or `shut`. */
export function admit(state: BreakerState, now: number, options = breakerDefaults): 'go' | 'probe' | 'shut' {
  if (state.openUntil === 0) return 'go';
  if (now < state.openUntil) return 'shut';
  if (state.probingSince > 0 && now - state.probingSince < options.probeMs) return 'shut';
  state.probingSince = now;
  return 'probe';
}

/** The vendor is back: closed, and nothing of before counts. */
export function succeeded(state: BreakerState): void {
  Object.assign(state, newBreaker());
}

/** The vendor answered just now: connections can be made. */
export function reached(state: BreakerState): void {
  state.failures = [];
}

/** As if no call had been made of late. */
export function forgetCalls(state: BreakerState): void {
  Object.assign(state, { failures: [], calls: [], records: [] });
}

/** Nothing was sent: the probe is free for the next caller. */
export function unused(state: BreakerState): void {
  state.probingSince = 0;
}

/** Takes calls into the count; {@link judge} says what they mean. */
export function count(state: BreakerState, at: number, ended: EndedCalls, options = breakerDefaults): void {
  const second = Math.floor(at / 1_000);
  const known = state.calls.find(([when]) => when === second);
  if (known) {
    known[1] += ended.answered;
    known[2] += ended.failed;
  } else state.calls.push([second, ended.answered, ended.failed]);
  state.calls.sort(([one], [other]) => one - other);
  const newest = state.calls.at(-1)![0];
  state.calls = state.calls.filter(([when]) => (newest - when) * 1_000 < options.windowMs);
  const others = state.records.filter(([record, when]) => at - when < options.windowMs && !ended.records.includes(record));
  const mine = ended.records.map((record): [string, number] => [record, at]);
  state.records = [...others, ...mine].slice(-mostRecords);
}

/** A call failed for these records, and none was answered since the failure before it. */
export function missed(state: BreakerState, at: number, records: readonly string[], connection: boolean, options = breakerDefaults): void {
  state.failures = [...state.failures.filter((one) => at - one.at < options.windowMs), { at, records: records.slice(0, options.records), connection }];
}

/** Opens it, if the calls of late say so. */
export function judge(state: BreakerState, now: number, options = breakerDefaults): void {
  if (state.openUntil > 0) return;
  const unanswered = state.failures.filter((one) => one.connection).length;
  const records = state.records.map(([record]) => record);
  const failing = records.length >= options.records && mostFail(state, now, options);
  if (failing || unanswered >= options.failures) open(state, now, records, options);
}

/** A call failed for these records: counted and judged at once. As the probe it opens for longer. */
export function failed(state: BreakerState, now: number, records: readonly string[], connection: boolean, options = breakerDefaults): void {
  if (state.openUntil > 0 && now >= state.openUntil) return open(state, now, records, options);
  missed(state, now, records, connection, options);
  count(state, now, { answered: 0, failed: 1, records: records.slice(0, options.records) }, options);
  judge(state, now, options);
}

function mostFail({ calls, records }: BreakerState, now: number, options: BreakerOptions): boolean {
  let [answered, failures] = [0, 0];
  for (const [second, good, bad] of [...calls].reverse()) {
    if (now - second * 1_000 >= options.windowMs) break;
    answered += good;
    failures += bad;
    if (failures - answered >= options.surplus.calls && records.length >= options.surplus.records) return true;
  }
  return failures >= options.failures && failures > answered;
}

function open(state: BreakerState, now: number, records: readonly string[], options: BreakerOptions): void {
  state.suspects = [...new Set([...state.suspects, ...records])].slice(-mostRecords);
  state.spellMs = state.spellMs === 0 ? options.openMs : Math.min(options.maxOpenMs, state.spellMs * 2);
  state.openUntil = now + state.spellMs;
  state.probingSince = 0;
}
