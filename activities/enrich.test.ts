import { MockActivityEnvironment } from '@temporalio/testing';
import { leadscore } from '../connectors/leadscore';
import type { EnrichmentResult } from '../schemas/run';
import signupToCrm from '../syncs/signup-to-crm/sync';
import { compilePlan } from '../syncs/define-sync';
import { sampleEvent } from '../test/support/sample-run';
import { TestDelivery } from '../test/support/test-delivery';
import { createEnrich } from './enrich';

const event = sampleEvent({ body: { type: 'signup.completed', timestamp: '2026-11-22T10:00:00Z', data: { customer_id: 'c-1', email: 'ada@example.com' } } });

/** Asks once; how long it took. */
async function ask(delivery: TestDelivery): Promise<EnrichmentResult & { ms: number }> {
  const deps = { ...delivery.deps, syncs: new Map([[signupToCrm.id, signupToCrm]]) };
  const started = Date.now();
  const result: EnrichmentResult = await new MockActivityEnvironment().run(createEnrich(deps), { plan: compilePlan(signupToCrm), event });
  return { ...result, ms: Date.now() - started };
}

test.each<[string, (delivery: TestDelivery) => void, RegExp]>([
  ['the breaker is open', (delivery) => void (delivery.openUntil = Date.now() + 60_000), /is failing; not asked/],
  ['another call tests the vendor', (delivery) => void (delivery.admission = { kind: 'shut', untilMs: Date.now() + 1_000 }), /is failing; not asked/],
  ['no permit is to be had', (delivery) => void (delivery.permits = 0), /has no budget left now/],
])('%s: the fallback, at once, and nothing is sent', async (_name, shape, cause) => {
  const delivery = new TestDelivery();
  shape(delivery);
  const { fallback, cause: said, ms } = await ask(delivery);
  expect({ fallback, said }).toEqual({ fallback: true, said: expect.stringMatching(cause) });
  expect(said).toContain(leadscore.vendor);
  expect(ms).toBeLessThan(500);
  expect([delivery.permitsOut - delivery.permitsGivenBack, delivery.reports.length]).toEqual([0, 0]);
});

test('an enrichment that makes no request gives its permit back', async () => {
  const delivery = new TestDelivery();
  delivery.asksNothing = true;
  delivery.further = () => Promise.reject(new Error('credentials cannot be read'));
  expect(await ask(delivery)).toMatchObject({ fallback: true });
  expect(delivery.permitsOut).toBe(1);
  expect(delivery.permitsGivenBack).toBe(1);
});
