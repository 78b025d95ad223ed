import fc from 'fast-check';
import { type Ask, decide, type FenceState, MAX_OPEN_CALLS, type OpenCall, type Order, REASK_EXPIRED_MS, REASK_LIVE_MS } from './decide';

const NOW = 1_000_000;

function ask(more: Partial<Ask> = {}): Ask {
  return { version: { at: 5, arrival: 0 }, mapVersion: 1, fields: ['a', 'b'], workflowId: 'mine', ...more };
}

function state({ order, fields = ['a', 'b'], ...more }: { order?: Order; fields?: string[]; reopened?: boolean } & Partial<FenceState> = {}): FenceState {
  const landed = order ? { order, fields, vendorId: '7', reopened: more.reopened ?? false } : null;
  return { landed, olderFields: more.olderFields ?? {}, openCalls: more.openCalls ?? [] };
}

function call(more: Partial<OpenCall> = {}): OpenCall {
  return { claim: 1, workflowId: 'other', order: [5, 0, 1], fields: ['a', 'b'], untilMs: NOW + 30_000, ...more };
}

const claim = (more: object = {}) => ({ kind: 'claim', ambiguous: false, dropFields: [], keep: [], ...more });
const wait = (ms: number) => ({ kind: 'wait', untilMs: NOW + ms });
const landed = { kind: 'landed', vendorId: '7' };
const superseded = { kind: 'superseded' };

describe('what landed', () => {
  test.each<[string, FenceState, Partial<Ask>, object]>([
    ['nothing', state(), {}, claim()],
    ['older', state({ order: [4, 9, 9] }), {}, claim()],
    ['equal', state({ order: [5, 0, 1] }), {}, landed],
    ['equal, asked to resend', state({ order: [5, 0, 1] }), { resendEqual: true }, claim()],
    ['equal, found missing', state({ order: [5, 0, 1], reopened: true }), {}, claim()],
    ['equal, by an older mapping', state({ order: [5, 0, 1] }), { mapVersion: 2 }, claim()],
    ['equal, by a newer mapping', state({ order: [5, 0, 2] }), {}, superseded],
    ['equal time, later arrival', state({ order: [5, 1, 1] }), {}, superseded],
    ['equal time, earlier arrival, newer mapping', state({ order: [5, 0, 9] }), { version: { at: 5, arrival: 1 } }, claim()],
    ['newer', state({ order: [6, 0, 1] }), {}, superseded],
    ['newer, asked to resend', state({ order: [6, 0, 1] }), { resendEqual: true }, superseded],
    ['newer, found missing', state({ order: [6, 0, 1], reopened: true }), {}, superseded],
    ['newer of one field', state({ order: [6, 0, 1], fields: ['a'] }), {}, claim({ dropFields: ['a'] })],
    ['newer of other fields', state({ order: [6, 0, 1], fields: ['c'] }), {}, claim()],
    ['newer of one field, equal of the other', state({ order: [6, 0, 1], fields: ['a'], olderFields: { b: [5, 0, 1] } }), {}, landed],
    ['newer of each field, at different times', state({ order: [8, 0, 1], fields: ['a'], olderFields: { b: [6, 0, 1] } }), {}, superseded],
    ['newer of a part, while we write all', state({ order: [6, 0, 1], fields: ['a'] }), { fields: [] }, superseded],
    ['newer of all', state({ order: [6, 0, 1], fields: ['*'] }), {}, superseded],
    ['newer of all, then a part', state({ order: [8, 0, 1], fields: ['z'], olderFields: { '*': [6, 0, 1] } }), {}, superseded],
    ['all, then a part, both older', state({ order: [4, 0, 1], fields: ['z'], olderFields: { '*': [3, 0, 1] } }), {}, claim()],
    ['a field older than all the others', state({ order: [8, 0, 1], fields: ['z'], olderFields: { '*': [6, 0, 1], a: [2, 0, 1] } }), {}, superseded],
    ['a part of this version, while we write all of it', state({ order: [5, 0, 1], fields: ['a'] }), { fields: ['*'] }, claim()],
    ['fields with the names of object members', state({ order: [6, 0, 1], fields: ['z'] }), { fields: ['constructor', '__proto__'] }, claim()],
  ])('%s', (_, before, more, expected) => expect(decide(before, ask(more), NOW)).toEqual(expected));
});

describe('an open call', () => {
  const expired = { untilMs: NOW };
  test.each<[string, OpenCall, Partial<Ask>, object]>([
    ['of another run, live', call(), {}, wait(REASK_LIVE_MS)],
    ['of another run, live for a moment', call({ untilMs: NOW + 3 }), {}, wait(3)],
    ['of another run, live, older', call({ order: [4, 0, 1] }), {}, wait(REASK_LIVE_MS)],
    ['of another run, live, newer', call({ order: [6, 0, 1] }), {}, wait(REASK_LIVE_MS)],
    ['of another run, live, other fields', call({ fields: ['z'] }), {}, wait(REASK_LIVE_MS)],
    ['of another run, live, and we are asked to resend', call(), { resendEqual: true }, wait(REASK_LIVE_MS)],
    ['of another run, expired', call(expired), {}, claim({ ambiguous: true, keep: [call(expired)] })],
    ['of another run, expired, older', call({ ...expired, order: [4, 0, 1] }), {}, claim({ ambiguous: true, keep: [call({ ...expired, order: [4, 0, 1] })] })],
    ['of another run, expired, newer', call({ ...expired, order: [6, 0, 1] }), {}, wait(REASK_EXPIRED_MS)],
    ['of another run, expired, newer mapping', call({ ...expired, order: [5, 0, 2] }), {}, wait(REASK_EXPIRED_MS)],
    ['of this run, live', call({ workflowId: 'mine' }), {}, claim({ ambiguous: true, keep: [call({ workflowId: 'mine' })] })],
    ['of this run, expired', call({ ...expired, workflowId: 'mine' }), {}, claim({ ambiguous: true, keep: [call({ ...expired, workflowId: 'mine' })] })],
    ['of this run, live, but of another version', call({ workflowId: 'mine', order: [4, 0, 1] }), {}, wait(REASK_LIVE_MS)],
    ['of this run, live, but of another mapping', call({ workflowId: 'mine', order: [5, 0, 0] }), {}, wait(REASK_LIVE_MS)],
  ])('%s', (_, open, more, expected) => expect(decide(state({ openCalls: [open] }), ask(more), NOW)).toEqual(expected));

  test('does not matter to what has landed or was overtaken', () => {
    expect(decide(state({ order: [6, 0, 1], openCalls: [call()] }), ask(), NOW)).toEqual(superseded);
    expect(decide(state({ order: [5, 0, 1], openCalls: [call()] }), ask(), NOW)).toEqual(landed);
  });

  test('is forgotten once all it wrote landed as new or newer, and it can no longer arrive', () => {
    const stale = call({ order: [4, 0, 1] });
    expect(decide(state({ order: [4, 0, 1], openCalls: [{ ...stale, untilMs: NOW }] }), ask(), NOW)).toEqual(claim());
    expect(decide(state({ order: [4, 0, 1], openCalls: [stale] }), ask(), NOW)).toEqual(wait(REASK_LIVE_MS));
    const partly = state({ order: [4, 0, 1], fields: ['a'], openCalls: [{ ...stale, untilMs: NOW }] });
    expect(decide(partly, ask(), NOW)).toMatchObject({ kind: 'claim', ambiguous: true });
    const whole = state({ order: [6, 0, 1], fields: ['a'], openCalls: [call({ fields: ['*'], untilMs: NOW, order: [5, 0, 2] })] });
    expect(decide(whole, ask({ fields: ['b'] }), NOW)).toEqual(wait(REASK_EXPIRED_MS));
  });

  test('only so many are remembered, the latest', () => {
    const openCalls = Array.from({ length: 50 }, (_, index) => call({ claim: index + 1, untilMs: NOW }));
    const decision = decide(state({ openCalls }), ask(), NOW);
    expect(decision).toMatchObject({ kind: 'claim', ambiguous: true });
    expect(decision.kind === 'claim' && decision.keep.map((open) => open.claim)).toEqual(Array.from({ length: MAX_OPEN_CALLS - 1 }, (_, index) => index + 20));
  });
});

describe('of any state and request', () => {
  const order = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 1 }), fc.integer({ min: 1, max: 2 }));
  const fields = fc.oneof(fc.subarray(['a', 'b', 'c'], { minLength: 1 }), fc.constant(['*']));
  const runs = fc.constantFrom('one', 'two', 'three');
  const states: fc.Arbitrary<FenceState> = fc.record({
    landed: fc.option(fc.record({ order, fields, vendorId: fc.constant('7'), reopened: fc.boolean() })),
    olderFields: fc.dictionary(fc.constantFrom('a', 'b', 'c', '*'), order, { maxKeys: 3 }),
    openCalls: fc.array(fc.record({ claim: fc.nat(9), workflowId: runs, order, fields, untilMs: fc.constantFrom(NOW - 1, NOW, NOW + 1, NOW + 9_999) }), {
      maxLength: 3,
    }),
  });
  const asks: fc.Arbitrary<Ask> = fc.record({
    version: fc.record({ at: fc.integer({ min: 1, max: 4 }), arrival: fc.integer({ min: 0, max: 1 }) }),
    mapVersion: fc.integer({ min: 1, max: 2 }),
    fields,
    workflowId: runs,
    resendEqual: fc.boolean(),
  });
  const same = (open: OpenCall, one: Ask) =>
    open.workflowId === one.workflowId && open.order.join() === [one.version.at, one.version.arrival, one.mapVersion].join();
  const check = (name: string, predicate: (before: FenceState, one: Ask, decision: ReturnType<typeof decide>) => void) =>
    test(name, () =>
      fc.assert(
        fc.property(states, asks, (before, one) => predicate(before, one, decide(before, one, NOW))),
        { numRuns: 5_000 },
      ),
    );

  check('a claim shares the wire with nobody else, drops only its own fields and leaves some', (before, one, decision) => {
    if (decision.kind !== 'claim') return;
    expect(before.openCalls.filter((open) => open.untilMs > NOW && !same(open, one))).toEqual([]);
    expect(one.fields).toEqual(expect.arrayContaining(decision.dropFields));
    expect(decision.dropFields.length).toBeLessThan(one.fields.length);
    expect(decision.ambiguous).toBe(decision.keep.length > 0);
  });
  check('a wait ends, and soon', (_, __, decision) => {
    if (decision.kind !== 'wait') return;
    expect(decision.untilMs).toBeGreaterThan(NOW);
    expect(decision.untilMs).toBeLessThanOrEqual(NOW + REASK_EXPIRED_MS);
  });
  check('nothing is superseded or landed where nothing landed', (before, _, decision) => {
    if (before.landed === null) expect(['claim', 'wait']).toContain(decision.kind);
  });
  check('the newest of all is never refused, and waits only for calls that may arrive', (before, one, decision) => {
    const newest = { ...one, version: { at: 99, arrival: 0 } };
    const live = before.openCalls.some((open) => open.untilMs > NOW);
    expect(decide(before, newest, NOW).kind).toBe(live ? 'wait' : 'claim');
    expect(decision).toEqual(decide(before, one, NOW));
  });
});
