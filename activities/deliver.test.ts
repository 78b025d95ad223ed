import { MockActivityEnvironment } from '@temporalio/testing';
import { type ApplicationFailure } from '@temporalio/common';
import { VendorError } from '../connectors/errors';
import type { DeliverInput, DeliverResult } from '../schemas/run';
import { sampleAttempt, sampleEvent, samplePlan } from '../test/support/sample-run';
import { createActivities } from '.';
import { TestDelivery } from '../test/support/test-delivery';

function setUp(info: Record<string, unknown> = {}) {
  const delivery = new TestDelivery();
  const heartbeats: unknown[] = [];
  const environment = new MockActivityEnvironment(info);
  environment.on('heartbeat', (details) => heartbeats.push(details));
  const activities = createActivities(delivery.deps);
  const { body: _body, ...event } = sampleEvent();
  const input: DeliverInput = {
    plan: samplePlan({ vendor: 'fake', operation: 'things.upsert', object: 'thing' }),
    event,
    record: { key: 'a', keyHmac: 'k_a', version: { at: 1, arrival: 1 }, fields: ['a'], input: { key: 'a', fields: { a: '1' } } },
    attempts: [],
  };
  const run = (name: 'deliver' | 'deliverNow', change: Partial<DeliverInput> = {}) =>
    environment.run<[DeliverInput], DeliverResult, typeof activities.deliver>(activities[name], { ...input, ...change });
  return { delivery, heartbeats, run };
}

const down = async () => {
  throw new VendorError({ code: 'UNAVAILABLE', status: 503, message: 'the vendor answered 503' });
};

describe('deliver', () => {
  test('a failure a retry can mend is thrown with its wait, and every attempt so far', async () => {
    const { delivery, heartbeats, run } = setUp();
    delivery.answer = down;
    const failure = (await run('deliver', { attempts: [sampleAttempt()] }).catch((error: unknown) => error)) as ApplicationFailure;
    expect(failure).toMatchObject({ type: 'UNAVAILABLE', nonRetryable: false });
    expect(failure.nextRetryDelay).toBe(100); // half of 100 ms · 2: the second failure, random 0.5
    const attempts = [{ number: 1 }, { number: 2, code: 'UNAVAILABLE', waitMs: 100 }];
    expect(failure.details?.[0]).toMatchObject({ attempts });
    expect(heartbeats.at(-1)).toMatchObject(attempts);
  });

  test('each retry is one structured line: source, sync, record, attempt, status, wait, cause; no personal data', async () => {
    const { delivery, run } = setUp();
    delivery.answer = down;
    const warn = jest.spyOn(delivery.deps.log, 'warn').mockImplementation(() => undefined);
    await run('deliver').catch(() => undefined);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]).toEqual([
      expect.objectContaining({
        source: 'shopify',
        sync: 'shop-customer-to-crm',
        destination: 'fake/main',
        record: 'k_a',
        attempt: 1,
        status: 503,
        code: 'UNAVAILABLE',
        waitMs: 50,
        cause: 'the vendor answered 503',
      }),
      'attempt failed',
    ]);
  });

  test('Retry-After decides the wait', async () => {
    const { delivery, run } = setUp();
    delivery.answer = async () => {
      throw new VendorError({ code: 'RATE_LIMITED', status: 429, message: 'too many calls', retryAfterMs: 30_000 });
    };
    const failure = (await run('deliver').catch((error: unknown) => error)) as ApplicationFailure;
    expect(failure).toMatchObject({ type: 'RATE_LIMITED', category: 'BENIGN' });
    expect(failure.nextRetryDelay).toBeGreaterThanOrEqual(30_000);
  });

  test('an attempt that left no trace is LOST and ambiguous', async () => {
    const { run } = setUp({ attempt: 3, heartbeatDetails: [sampleAttempt()] });
    const result = await run('deliver');
    expect(result).toMatchObject({
      kind: 'done',
      outcome: {
        attempts: [
          { number: 1, code: 'UNAVAILABLE' },
          { number: 2, code: 'LOST', ambiguous: true },
          { number: 3, code: 'OK' },
        ],
      },
    });
  });

  test('while the breaker is open a failure is held, not thrown: attempts don’t run out in an outage', async () => {
    const { delivery, run } = setUp();
    delivery.answer = down;
    delivery.openUntil = 5_000;
    expect(await run('deliver')).toMatchObject({ kind: 'held', cause: 'breaker', untilMs: 6_000, attempts: [{ number: 1 }], othersLanded: false });
  });

  test('a run from before the account’s scopes were changed spends from those of today: the others have no limits any more', async () => {
    const { delivery, run } = setUp();
    const scopes = [{ vendor: 'fake', scope: 'of-yesterday' }];
    const outcome = { kind: 'done', outcome: { outcome: 'accepted' } };
    expect(await run('deliver', { plan: { ...samplePlan({ vendor: 'fake', operation: 'things.upsert', object: 'thing' }), scopes } })).toMatchObject(outcome);
    expect(delivery.scopesAsked).toEqual(['fake/main']);
  });

  test('paused by an operator: what the queue brought waits in its workflow, the fast path’s goes to the queue', async () => {
    const { delivery, run } = setUp();
    const untilMs = Date.now() + 15_000;
    delivery.blocked = (_scopes, { queued }) => ({ cause: 'paused', untilMs: queued ? untilMs : 0 });
    const looked = (await run('deliver')) as { untilMs: number };
    expect(looked).toMatchObject({ kind: 'held', cause: 'paused', attempts: [] });
    expect(looked.untilMs).toBeGreaterThanOrEqual(untilMs);
    expect(await run('deliverNow')).toMatchObject({ kind: 'held', cause: 'paused', untilMs: 0, attempts: [] });
  });

  test('held records come back lane after lane, live ones first', async () => {
    const { delivery, run } = setUp();
    delivery.answer = down;
    delivery.openUntil = 5_000;
    expect(
      await run('deliver', { plan: samplePlan({ vendor: 'fake', operation: 'things.upsert', object: 'thing', budget: { lane: 'backfill' } }) }),
    ).toMatchObject({ kind: 'held', cause: 'breaker', untilMs: 10_000 });
  });

  test('a record that may be at fault itself comes back after all others: the probe is one of them', async () => {
    const { delivery, run } = setUp();
    delivery.answer = down;
    delivery.openUntil = 5_000;
    delivery.suspects = ['k_a'];
    expect(await run('deliver')).toMatchObject({ kind: 'held', cause: 'breaker', untilMs: 14_000 });
  });

  test('others landed only counts if it was between this record’s failures: a plain outage is no fault of the record', async () => {
    const { delivery, run } = setUp();
    delivery.answer = down;
    delivery.openUntil = 5_000;
    const at = (seconds: number) => new Date(seconds * 1_000).toISOString();
    const attempts = [sampleAttempt({ at: at(10) }), sampleAttempt({ number: 2, at: at(40) })];
    const health = (landedAtSeconds: number) => jest.spyOn(delivery.deps.health, 'lastLandedAt').mockReturnValue(landedAtSeconds * 1_000);
    health(20); // after its first failure, before its second: long known
    expect(await run('deliver', { attempts })).toMatchObject({ othersLanded: false });
    health(50); // since its last but one
    expect(await run('deliver', { attempts })).toMatchObject({ othersLanded: true });
  });

  test('the fast path returns instead of throwing: the workflow goes on to the queue', async () => {
    const { delivery, run } = setUp();
    delivery.answer = down;
    expect(await run('deliverNow')).toMatchObject({ kind: 'retry', waitMs: 50, attempts: [{ number: 1, waitMs: 50 }] });
    delivery.permits = 0;
    expect(await run('deliverNow')).toMatchObject({ kind: 'held', cause: 'budget', attempts: [] });
  });
});
