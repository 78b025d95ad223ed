import fc from 'fast-check';
import type { PermitRequest } from '../../connectors/permit';
import type { Lane } from '../../schemas/plan';
import { InProcessGate } from './in-process-gate';

const scope = { vendor: 'v', scope: 'main' };
const ask = (lane: Lane = 'live', scopes = [scope]): PermitRequest => ({ scopes, lane, sync: 's' });

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());
const clock = () => Date.now();

/** Runs until nothing is left to do. */
const settle = (ms: number) => jest.advanceTimersByTimeAsync(ms);

describe('in-process gate', () => {
  test('never more than the limit in any window, whatever the demand, delays and faults', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ at: fc.nat(30_000), takes: fc.nat(400), giveBack: fc.boolean() }), { minLength: 1, maxLength: 120 }),
        fc.integer({ min: 1, max: 20 }),
        async (calls, max) => {
          const gate = new InProcessGate(() => [{ name: 'w', kind: 'rolling', ms: 1_000, max }], clock);
          const arrivals: number[] = [];
          const all = calls.map(async ({ at, takes, giveBack }) => {
            await new Promise((resolve) => setTimeout(resolve, at));
            const permit = await gate.acquire(ask());
            if (giveBack) return permit.giveBack();
            // The vendor counts it at any moment between sending and reply.
            setTimeout(() => arrivals.push(Date.now()), takes * 0.9);
            await new Promise((resolve) => setTimeout(resolve, takes));
            permit.done({ status: 200, headers: {} });
          });
          await settle(400_000);
          await Promise.all(all);
          arrivals.sort((a, b) => a - b);
          arrivals.forEach((first, index) => {
            const inWindow = arrivals.slice(index).filter((at) => at - first < 1_000).length;
            expect(inWindow).toBeLessThanOrEqual(max);
          });
          expect(arrivals).toHaveLength(calls.filter((call) => !call.giveBack).length);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('uses nearly all of a 10 s window under a backlog', async () => {
    const gate = new InProcessGate(() => [{ name: 'w', kind: 'rolling', ms: 10_000, max: 100 }], clock);
    let sent = 0;
    const worker = async (): Promise<void> => {
      for (;;) {
        const permit = await gate.acquire(ask());
        sent++;
        setTimeout(() => permit.done({ status: 200, headers: {} }), 50);
      }
    };
    void worker();
    await settle(100_000);
    expect(sent).toBeGreaterThan(960);
    expect(sent).toBeLessThanOrEqual(1_100);
  });

  test('the second half of a window is paced: a live call never waits for a whole one', async () => {
    const gate = new InProcessGate(() => [{ name: 'w', kind: 'rolling', ms: 10_000, max: 100 }], clock);
    for (let call = 0; call < 50; call++) gate.tryAcquire(ask())?.done({ status: 200, headers: {} });
    expect(gate.closedForMs([scope], 'live')).toBeLessThanOrEqual(100);
    expect(gate.closedForMs([scope], 'live')).toBeGreaterThan(0);
  });

  test('live goes before bulk, and bulk is not starved', async () => {
    const gate = new InProcessGate(() => [{ name: 'c', kind: 'concurrent', max: 1 }], clock);
    const first = gate.tryAcquire(ask());
    const order: Lane[] = [];
    const wait = async (lane: Lane) => {
      const permit = await gate.acquire(ask(lane));
      order.push(lane);
      permit.done({ status: 200, headers: {} });
    };
    const waits = [wait('replay'), ...Array.from({ length: 20 }, () => wait('live'))];
    first?.done({ status: 200, headers: {} });
    await settle(10_000);
    await Promise.all(waits);
    expect(order[0]).toBe('live');
    expect(order.indexOf('replay')).toBe(9);
  });

  test('a 429 pauses the scope for what the vendor asked', () => {
    const gate = new InProcessGate(() => [{ name: 'w', kind: 'rolling', ms: 1_000, max: 100 }], clock);
    gate.tryAcquire(ask())?.done({ status: 429, headers: {}, rateLimited: { retryAfterMs: 7_000 } });
    expect(gate.tryAcquire(ask())).toBeNull();
    expect(gate.closedForMs([scope], 'live')).toBe(7_000);
  });

  test('several scopes: all permits or none, and an empty one blocks nobody else', () => {
    const other = { vendor: 'v', scope: 'other' };
    const gate = new InProcessGate(({ scope: name }) => [{ name: 'c', kind: 'concurrent', max: name === 'main' ? 1 : 5 }], clock);
    expect(gate.tryAcquire(ask('live', [scope, other]))).not.toBeNull();
    expect(gate.tryAcquire(ask('live', [scope, other]))).toBeNull();
    for (let call = 0; call < 4; call++) expect(gate.tryAcquire(ask('live', [other]))).not.toBeNull();
    expect(gate.tryAcquire(ask('live', [other]))).toBeNull();
  });

  test('an aborted wait leaves the queue', async () => {
    const gate = new InProcessGate(() => [{ name: 'c', kind: 'concurrent', max: 1 }], clock);
    const first = gate.tryAcquire(ask());
    const abort = new AbortController();
    const waiting = gate.acquire({ ...ask(), signal: abort.signal });
    abort.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    first?.done({ status: 200, headers: {} });
    expect(gate.tryAcquire(ask())).not.toBeNull();
  });

  test('a permit ends once', () => {
    const permit = new InProcessGate(() => [], clock).tryAcquire(ask());
    permit?.done({ status: 200, headers: {} });
    expect(() => permit?.giveBack()).toThrow('ended twice');
  });
});
