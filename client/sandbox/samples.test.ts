import { prepareRecord } from '../../activities/prepare';
import { syncs } from '../../syncs';
import type { SourceEvent } from '../../schemas/event';
import { ordinaryEvent, samplesFor } from './samples';

const clock = { tag: 'test', now: Date.UTC(2026, 10, 22) };

test('every kind of trouble is among them', () => {
  const samples = samplesFor(clock);
  const kinds = samples.map(({ faults }) => (faults?.fault as { kind?: string } | undefined)?.kind);
  expect(kinds).toEqual(expect.arrayContaining(['timeoutAfterCommit', 'rateLimit', 'serverError']));
  expect(samples.map(({ outcome }) => outcome)).toEqual(expect.arrayContaining(['accepted', 'skipped', 'invalid', 'rejected', 'superseded']));
  expect(samples.map(({ door }) => door)).toEqual(expect.arrayContaining(['new', 'duplicate', 'ignored', 'refused']));
});

test('another start sends other events, and a redelivery is the same event', () => {
  const ids = (tag: string) => samplesFor({ ...clock, tag }).map(({ delivery }) => delivery.eventId);
  expect(ids('a').filter((id) => ids('b').includes(id))).toEqual([]);
  expect(new Set(ids('a')).size).toBe(ids('a').length - 1);
});

test.each(samplesFor(clock).map((sample) => [sample.shows, sample] as const))(
  '%s: contract and mapping agree with what is expected',
  (_, { delivery, door, outcome, lands }) => {
    const sync = syncs.find(({ on }) => on.account.source === delivery.source && on.topics.includes(delivery.topic));
    expect(sync === undefined).toBe(door === 'ignored');
    if (!sync || door !== 'new') return;
    const prepared = prepareRecord(sync, { event: { body: delivery.body, version: { at: 0, arrival: 0 } } as SourceEvent, enrichment: null }, (key) => key);
    if (outcome === 'skipped' || outcome === 'invalid') expect(prepared.kind).toBe(outcome);
    else expect(prepared.kind).toBe('ready');
    if (lands && prepared.kind === 'ready') expect(prepared.record.key).toBe(lands.email);
  },
);

test('a fault strikes the one sample it is meant for', () => {
  const samples = samplesFor(clock);
  for (const { faults, delivery } of samples) {
    const { email, key } = (faults?.fault as { match?: { email?: string; key?: string } } | undefined)?.match ?? {};
    const record = email ?? key;
    if (record !== undefined)
      expect(samples.filter((one) => JSON.stringify(one.delivery.body).includes(record)).map((one) => one.delivery)).toEqual([delivery]);
  }
});

test('ordinary events keep their contracts', () => {
  for (let number = 1; number <= 30; number++) {
    const { topic, body } = ordinaryEvent(clock, number);
    const sync = syncs.find(({ on }) => on.topics.includes(topic));
    expect(sync?.contract.schema.safeParse(body).success).toBe(true);
  }
});
