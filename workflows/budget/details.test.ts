import { leaseRequest } from '../../test/support/lease-request';
import { details } from './details';
import { lease } from './lease';
import { newBudget } from './state';
import { viewOf } from './view';

const noon = Date.parse('2026-01-10T12:00:00Z');

function shown(change: { spent?: number; waiting?: number } = {}): string {
  const state = newBudget(noon);
  const limits = [{ name: 'burst', kind: 'rolling', ms: 10_000, max: 100 } as const, { name: 'day', kind: 'fixed', ms: 86_400_000, max: 1_000 } as const];
  const demand = [{ sync: 's', lane: 'backfill' as const, waiting: change.waiting ?? 0, full: false, used: [20], spent: 0 }];
  const offPeak = { lanes: ['replay' as const], from: '22:00', to: '06:00', timeZone: 'UTC' };
  lease(state, leaseRequest({ limits, offPeak, demand }), noon);
  if (change.spent) state.counts[0]!.spent = [[noon, change.spent]];
  state.workers['a']!.counts = {};
  return details(viewOf({ vendor: 'v', scope: 'main' }, state, noon));
}

test('windows, who spends, what waits, hours and forecast in one page', () => {
  const page = shown({ spent: 300, waiting: 30 });
  expect(page).toContain('**open**; 1 worker; as of 2026-01-10T12:00:00.000Z');
  expect(page).toContain('replay from 22:00 to 06:00 (UTC): not now');
  expect(page).toContain('| burst | 10 s | 20 | 80 | 100 | 0 | 0 |  |');
  expect(page).toMatch(/\| day \| 86400 s \| 300 \| 700 \| 1000 \| 0 \| 0 \| spent in about \d+ min \|/);
  expect(page).toContain('| s | backfill | 0 | 30 | about 3 s | 0 |');
});

test('a day whose rest is kept from bulk says so', () => {
  expect(shown({ spent: 960 })).toContain('| day | 86400 s | 960 | 40 | 1000 | 0 | 0 | bulk waits: the last 40 are kept |');
});

test('a spent day says so, and until when', () => {
  expect(shown({ spent: 1_000 })).toMatch(/^\*\*spent\*\*, for about 12 h/);
  expect(shown({ spent: 1_000 })).toContain('free in about 12 h');
});

test('429s are counted by window until midnight UTC; one that names none has a line of its own', () => {
  const state = newBudget(noon);
  const limits = [{ name: 'burst', kind: 'rolling', ms: 10_000, max: 100 } as const, { name: 'day', kind: 'fixed', ms: 86_400_000, max: 1_000 } as const];
  const refusals = [{ limit: 'burst' }, { limit: 'burst' }, { limit: 'day' }, { limit: 'no such window' }, {}];
  const request = leaseRequest({ limits, refusals: refusals.map((one) => ({ sync: 's', pauseMs: 100, since: 1, ...one })) });
  lease(state, request, noon);
  const page = details(viewOf({ vendor: 'v', scope: 'main' }, state, noon));
  expect(page).toMatch(/\| burst \|.+\| 2 \|/);
  expect(page).toMatch(/\| day \(high\) \|.+\| 1 \|/);
  expect(page).toContain('429s today that named no window: 2');
  const tomorrow = noon + 12 * 3_600_000;
  lease(state, { ...request, seq: 2, refusals: [] }, tomorrow);
  expect(viewOf({ vendor: 'v', scope: 'main' }, state, tomorrow)).toMatchObject({ refusedUnnamed: 0, windows: [{ refused: 0 }, { refused: 0 }] });
});
