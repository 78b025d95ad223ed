import { hubspot } from '../connectors/hubspot';
import type { OffPeak } from '../schemas/off-peak';
import { upsertContacts } from '../connectors/hubspot/operations/upsert-contacts';
import { declaredBudgets } from '../workers/budgets';
import { vendorAccount } from './accounts-api';
import type { Sync } from './define-sync';

const night: OffPeak = { lanes: ['backfill', 'replay'], from: '22:00', to: '06:00', timeZone: 'Europe/Berlin' };

describe('off-peak hours of an account', () => {
  test('declared: part of the account', () => {
    expect(vendorAccount(hubspot, { name: 'main', offPeak: night })).toMatchObject({ offPeak: night });
    expect(vendorAccount(hubspot, { name: 'main' }).offPeak).toBeUndefined();
  });

  test.each<[Partial<Record<keyof OffPeak, unknown>>, string]>([
    [{ lanes: ['live'] }, 'offPeak.lanes has "live"; expected some of scheduled, backfill, replay (live is never held)'],
    [{ lanes: ['bulk'] }, 'offPeak.lanes has "bulk"'],
    [{ lanes: [] }, 'offPeak.lanes is empty'],
    [{ from: '24:00' }, 'offPeak.from is "24:00"; expected a time from 00:00 to 23:59'],
    [{ to: '6:00' }, 'offPeak.to is "6:00"'],
    [{ to: '22:00' }, 'offPeak.from and offPeak.to are both 22:00'],
    [{ timeZone: 'Berlin' }, 'offPeak.timeZone is "Berlin"; expected a name such as Europe/Berlin or UTC'],
  ])('%j is refused when it is declared, and says where', (wrong, words) => {
    expect(() => vendorAccount(hubspot, { name: 'main', offPeak: { ...night, ...wrong } as OffPeak })).toThrow(`accounts.ts: hubspot/main: ${words}`);
  });

  test('accounts that share a scope must agree', () => {
    const sync = (name: string, offPeak?: OffPeak) =>
      ({
        id: name,
        to: { operation: upsertContacts, account: vendorAccount(hubspot, { name, scopes: ['portal'], ...(offPeak ? { offPeak } : {}) }) },
        budget: { lane: 'live' },
      }) as unknown as Sync;
    expect(declaredBudgets([sync('one', night), sync('two', night)]).get('hubspot/portal')).toMatchObject({ offPeak: night });
    expect(() => declaredBudgets([sync('one', night), sync('two')])).toThrow('budget hubspot/portal: its accounts (one, two) declare different offPeak hours');
  });
});
