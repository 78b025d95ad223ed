import type { BreakerReply } from '../../workflows/budget/protocol';
import { BreakerMirror } from './breaker-mirror';

const closed: BreakerReply = { openMs: 0, halfOpen: false, probe: false, ramp: 1, landedMs: -1 };

function failing(mirror: BreakerMirror, times: number, since: number): void {
  for (let n = 0; n < times; n++) mirror.report({ failed: [`k_${n}`], answered: [], connection: false }, 1_000 + n, since);
}

test('several failures in a row shut the door before the budget has answered', () => {
  const mirror = new BreakerMirror();
  failing(mirror, 4, 2);
  expect(mirror.openUntilAt(1_010)).toBe(0);
  failing(mirror, 1, 2);
  expect(mirror.openUntilAt(1_010)).toBeGreaterThan(2_000);
});

test('a reply to what was asked before the failures does not open it again', () => {
  const mirror = new BreakerMirror();
  failing(mirror, 6, 2);
  mirror.apply(closed, { seq: 1, sentAt: 900 }, 1_050);
  expect(mirror.openUntilAt(1_060)).toBeGreaterThan(2_000);
  // The budget has heard them, and says that the vendor is well for others.
  mirror.apply(closed, { seq: 2, sentAt: 1_100 }, 1_150);
  expect(mirror.openUntilAt(1_160)).toBe(0);
});

test('a landing is told once: hearing of it, late, is no news of a landing', () => {
  const mirror = new BreakerMirror();
  mirror.report({ failed: [], answered: ['k_1'], connection: false }, 1_000, 1);
  expect(mirror.request(1_010)).toMatchObject({ answeredMs: 10 });
  // The answer took 50 ms: by its figures the record landed 50 ms later than it did.
  mirror.apply({ ...closed, landedMs: 10 }, { seq: 1, sentAt: 1_010 }, 1_060);
  expect(mirror.request(1_070)).toEqual({});
});
