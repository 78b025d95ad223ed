import type { DoorCount, Funnel } from '../../ledger/port';
import { funnelView } from './funnel';

const funnel = (syncId: string, parts: Partial<Funnel>): Funnel => ({
  syncId,
  received: 0,
  duplicates: 0,
  waitingToStart: 0,
  running: 0,
  outcomes: {},
  findings: {},
  causes: [],
  ...parts,
});
const door = (reason: string, count: number): DoorCount => ({ syncId: null, source: 'shopify', account: 'shop', reason, count });

const busy = funnel('shop', {
  received: 20,
  duplicates: 3,
  waitingToStart: 1,
  running: 2,
  outcomes: { accepted: 6, verified: 1, invalid: 4, skipped: 2, rejected: 1, superseded: 1, failed: 2 },
  causes: [
    { outcome: 'invalid', code: 'CONTRACT_VIOLATION', count: 3 },
    { outcome: 'invalid', code: 'TARGET_VIOLATION', count: 1 },
    { outcome: 'skipped', code: 'SKIPPED_BY_MAPPING', count: 2 },
    { outcome: 'rejected', code: 'INVALID_EMAIL', count: 1 },
    { outcome: 'failed', code: 'MAPPING_ERROR', count: 1 },
    { outcome: 'failed', code: 'UNAVAILABLE', count: 1 },
  ],
});

test('each stage holds those who came further; open ones are beside it until they end', () => {
  const [line] = funnelView([busy], []).lines;
  expect(line).toMatchObject({ received: 20, open: 3, valid: 14, mapped: 10, delivered: 7 });
});

test('received = open + delivered + all exits', () => {
  const { total } = funnelView([busy, funnel('billing', { received: 2, outcomes: { accepted: 1, expired: 1 } })], []);
  const left = total.exits.reduce((sum, { count }) => sum + count, 0);
  expect(total.received).toBe(total.open + total.delivered + left);
  expect(total.exits).toContainEqual({ outcome: 'expired', code: 'EXPIRED', count: 1 });
});

test('exits of several syncs are added up, the most frequent first', () => {
  const other = funnel('billing', { received: 5, outcomes: { skipped: 5 }, causes: [{ outcome: 'skipped', code: 'SKIPPED_BY_MAPPING', count: 5 }] });
  expect(funnelView([busy, other], []).total.exits[0]).toEqual({ outcome: 'skipped', code: 'SKIPPED_BY_MAPPING', count: 7 });
});

test('what stayed at the door is listed by reason, redeliveries first', () => {
  expect(funnelView([busy], [door('bad_signature', 2), door('ignored', 1), door('bad_signature', 5)]).door).toEqual([
    { reason: 'duplicate', count: 3 },
    { reason: 'bad_signature', count: 7 },
    { reason: 'ignored', count: 1 },
  ]);
});
