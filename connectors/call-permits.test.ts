import { CallPermits } from './call-permits';
import type { Gate, Permit, PermitRequest } from './permit';

const scopes = [{ vendor: 'v', scope: 'main.profiles' }];
const lists = [{ vendor: 'v', scope: 'main.lists' }];
const permitOf = (probe = false): Permit => ({ scopes, probe, done: () => undefined, giveBack: () => undefined });

/** A gate that has nothing: who waits, waits until the signal. */
function empty(): Gate & { asked: PermitRequest[] } {
  const asked: PermitRequest[] = [];
  const acquire = (request: PermitRequest): Promise<Permit> => {
    asked.push(request);
    return new Promise((_, reject) => request.signal?.addEventListener('abort', () => reject(request.signal!.reason as Error)));
  };
  return { asked, acquire, tryAcquire: () => null, closedForMs: () => 0 };
}

function call(change: { permit?: Permit; signal?: AbortSignal; patience?: AbortSignal }, gate = empty()) {
  const permits = new CallPermits({ vendor: 'v', gate, scopesOf: () => lists, by: { scopes, lane: 'live', sync: 's', ...change } });
  return { gate, permits };
}

test('a further request waits for its permit no longer than the call may; with nothing written the call came to nothing', async () => {
  const { permits } = call({ permit: permitOf(), patience: AbortSignal.timeout(30) });
  await permits.next({ method: 'GET' });
  await expect(permits.next({ method: 'POST', quota: 'lists' })).rejects.toMatchObject({
    name: 'VendorError',
    code: 'RATE_LIMITED',
    ambiguous: false,
    scopes: lists,
  });
});

test('after a request that may have written something it is ambiguous; a session that was refused wrote nothing', async () => {
  const written = call({ permit: permitOf(), patience: AbortSignal.timeout(30) });
  await written.permits.next({ method: 'POST' });
  await expect(written.permits.next({ method: 'POST' })).rejects.toMatchObject({ ambiguous: true });
  const refused = call({ permit: permitOf(), patience: AbortSignal.timeout(30) });
  await refused.permits.next({ method: 'POST' });
  refused.permits.refused();
  await expect(refused.permits.next({ method: 'POST' })).rejects.toMatchObject({ ambiguous: false });
});

test('who gives the call up is told so, not that time ran out; a login is waited for on behalf of others, too', async () => {
  const stop = new AbortController();
  const { permits, gate } = call({ patience: AbortSignal.timeout(30), signal: stop.signal });
  const waiting = permits.next({ method: 'GET' });
  stop.abort(new Error('worker stops'));
  await expect(waiting).rejects.toThrow('worker stops');
  void permits.login(undefined);
  expect(gate.asked[1]!.signal).toBeUndefined();
  await expect(permits.patiently(new Promise(() => undefined))).rejects.toMatchObject({ code: 'RATE_LIMITED', ambiguous: false });
});

test('further requests of a probe are asked for as part of it', async () => {
  const { permits, gate } = call({ permit: permitOf(true) });
  await permits.login(undefined);
  void permits.next({ method: 'POST' });
  expect(gate.asked).toMatchObject([{ probe: true }]);
});

test('a permit whose time is over, by a claim or a login that took long, is given back; the request leaves with another', async () => {
  let [over, back] = [false, 0];
  const given: Permit = { ...permitOf(), expired: () => over, giveBack: () => void back++ };
  const { permits, gate } = call({ permit: given });
  over = true;
  void permits.next({ method: 'POST' });
  expect(gate.asked).toMatchObject([{ scopes, lane: 'live', sync: 's' }]);
  expect(back).toBe(1);
  permits.release();
  expect(back).toBe(1);
});
